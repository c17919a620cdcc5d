#include "io/name_list.h"

#include <jansson.h>
#include <string.h>

static thaw_status copy(thaw_context *context, const json_t *array, char ***names)
{
    const size_t count = json_array_size(array);
    size_t bytes = count * sizeof **names;
    for (size_t i = 0; i < count; i++)
        bytes += json_string_length(json_array_get(array, i)) + 1;
    char **made = thaw_allocate(context, bytes);
    if (!made)
        return THAW_OUT_OF_MEMORY;
    char *next = (char *)(made + count);
    for (size_t i = 0; i < count; i++) {
        made[i] = next;
        next = stpcpy(next, json_string_value(json_array_get(array, i))) + 1;
    }
    *names = made;
    return THAW_OK;
}

static bool holds_strings(const json_t *array)
{
    bool strings = json_is_array(array);
    for (size_t i = 0; strings && i < json_array_size(array); i++)
        strings = json_is_string(json_array_get(array, i));
    return strings;
}

thaw_status thaw_name_list_read(thaw_context *context, const char *what, const char *text, char ***names, size_t *count)
{
    json_error_t error = { .text = "" };
    json_t *array = json_loads(text, 0, &error);
    thaw_status status = THAW_OK;
    *names = NULL;
    *count = 0;
    if (!array && (json_error_code(&error) == json_error_out_of_memory || !error.text[0]))
        status = thaw_fail(context, THAW_OUT_OF_MEMORY, "%s: no memory for its names", what);
    else if (!holds_strings(array))
        status =
            thaw_fail(context, THAW_BAD_FORMAT, "%s: \"%.60s\", must be an array of strings as in JSON", what, text);
    else if (json_array_size(array))
        status = copy(context, array, names);
    if (status == THAW_OK)
        *count = json_array_size(array);
    json_decref(array);
    return status;
}
