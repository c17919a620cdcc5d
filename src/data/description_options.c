/* Options that all kinds of data sets have. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <thaw/runtime.h>

#include "core/allocation.h"
#include "core/number.h"
#include "core/text.h"
#include "data/description.h"

static bool parse_number(const char *text, char **end, size_t *number)
{
    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    const uintmax_t value = strtoumax(text, end, 10);
    *number = (size_t)value;
    return errno == 0;
}

thaw_status thaw_describe_count(thaw_description *into, const char *option, const char *value, size_t *count)
{
    char *end;
    if (!parse_number(value, &end, count) || *end || *count == 0)
        return thaw_fail(into->context, THAW_INVALID_ARGUMENT, "%s: %s=%s, must be a whole number from 1", into->name,
                         option, value);
    return THAW_OK;
}

thaw_status thaw_describe_classes(thaw_description *into, char *value)
{
    thaw_dataset_selection *selection = &into->selection;
    char *end;
    bool good = parse_number(value, &end, &selection->first_class);
    selection->last_class = selection->first_class;
    if (good && *end == '-')
        good = parse_number(end + 1, &end, &selection->last_class);
    if (!good || *end || selection->first_class > selection->last_class)
        return thaw_fail(into->context, THAW_INVALID_ARGUMENT, "%s: classes=%s, must be one number or A-B", into->name,
                         value);
    into->has_classes = true;
    return THAW_OK;
}

thaw_status thaw_describe_per_class(thaw_description *into, char *value)
{
    return thaw_describe_count(into, "per-class", value, &into->selection.per_class);
}

thaw_status thaw_describe_repeat(thaw_description *into, char *value)
{
    return thaw_describe_count(into, "repeat", value, &into->selection.repeat);
}

thaw_status thaw_describe_pair(thaw_description *into, const char *text, const char *form, char **paths)
{
    const char *comma = strchr(text, ',');
    if (!comma || comma == text || !comma[1] || strchr(comma + 1, ','))
        return thaw_fail(into->context, THAW_INVALID_ARGUMENT, "%s: \"%s\", must be %s", into->name, text, form);
    paths[0] = thaw_copy_text(into->context, text);
    paths[1] = thaw_copy_text(into->context, comma + 1);
    if (!paths[0] || !paths[1])
        return THAW_OUT_OF_MEMORY;
    paths[0][comma - text] = '\0';
    return THAW_OK;
}

thaw_status thaw_describe_word(thaw_description *into, const char *option, const char *value, const char *const *words,
                               size_t count, size_t *which)
{
    thaw_text known = { .context = into->context };
    char *text;
    for (*which = 0; *which < count; ++*which)
        if (strcmp(value, words[*which]) == 0)
            return THAW_OK;
    *which = 0;
    for (size_t i = 0; i < count; i++)
        thaw_text_append(&known, "%s%s", i == 0 ? "" : i + 1 < count ? ", " : " or ", words[i]);
    thaw_status status = thaw_text_finish(&known, &text);
    if (status == THAW_OK)
        status =
            thaw_fail(into->context, THAW_INVALID_ARGUMENT, "%s: %s=%s, must be %s", into->name, option, value, text);
    thaw_release(into->context, text);
    return status;
}

thaw_status thaw_describe_split(thaw_description *into, char *value)
{
    if (thaw_parse_number(value, strlen(value), &into->split) && into->split > 0 && into->split < 1)
        return THAW_OK;
    return thaw_fail(into->context, THAW_INVALID_ARGUMENT, "%s: split=%s, must be a number above 0 and below 1",
                     into->name, value);
}

thaw_status thaw_describe_seed(thaw_description *into, char *value)
{
    size_t number;
    char *end;
    if (!parse_number(value, &end, &number) || *end)
        return thaw_fail(into->context, THAW_INVALID_ARGUMENT, "%s: seed=%s, must be a whole number from 0", into->name,
                         value);
    into->seed = number;
    return THAW_OK;
}

thaw_status thaw_describe_channels(thaw_description *into, char *value)
{
    size_t which;
    const thaw_status status =
        thaw_describe_word(into, "channels", value, (const char *const[]){ "1", "3" }, 2, &which);
    into->arrays.channels = which == 1 ? 3 : 1;
    return status;
}

thaw_status thaw_describe_task(thaw_description *into, char *value)
{
    static const char *const words[] = {
        [THAW_TASK_CLASSES] = "classes",
        [THAW_TASK_LABELS] = "labels",
        [THAW_TASK_REGRESSION] = "regression",
    };
    size_t which;
    const thaw_status status = thaw_describe_word(into, "task", value, words, THAW_COUNT(words), &which);
    into->arrays.has_task = true;
    into->arrays.task = (thaw_task)which;
    return status;
}
