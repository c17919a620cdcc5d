#include "data/text/json_part.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <thaw/runtime.h>

#include "core/context.h"

thaw_json_part thaw_json_member(const thaw_json_part *part, const char *key)
{
    const json_t *value = json_object_get(part->value, key);
    return (thaw_json_part){ part->context, part->path, key, json_is_null(value) ? NULL : value };
}

thaw_status thaw_json_fail(const thaw_json_part *part, thaw_status status, const char *format, ...)
{
    char fault[THAW_MESSAGE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(fault, sizeof fault, format, arguments);
    va_end(arguments);
    return thaw_fail(part->context, status, "%s: %s: %s", part->path, part->name, fault);
}

thaw_status thaw_json_check(const thaw_json_part *part, const char *const *known, size_t count)
{
    const char *key;
    json_t *value;
    if (!json_is_object(part->value))
        return thaw_json_fail(part, THAW_BAD_FORMAT, "must be an object");
    json_object_foreach((json_t *)part->value, key, value)
    {
        size_t i = 0;
        while (i < count && strcmp(key, known[i]) != 0)
            i++;
        if (i == count && !json_is_null(value))
            return thaw_json_fail(part, THAW_UNSUPPORTED, "\"%.100s\" is not supported", key);
    }
    return THAW_OK;
}

thaw_status thaw_json_get_type(const thaw_json_part *part, const char **type)
{
    *type = json_string_value(json_object_get(part->value, "type"));
    return *type ? THAW_OK : thaw_json_fail(part, THAW_BAD_FORMAT, "must be an object with a \"type\"");
}

thaw_status thaw_json_get_flag(const thaw_json_part *part, const char *key, bool *value)
{
    const json_t *found = thaw_json_member(part, key).value;
    if (found && !json_is_boolean(found))
        return thaw_json_fail(part, THAW_BAD_FORMAT, "%s must be true or false", key);
    *value = found ? json_is_true(found) : *value;
    return THAW_OK;
}

thaw_status thaw_json_get_number(const thaw_json_part *part, const char *key, int64_t *value)
{
    const json_t *found = thaw_json_member(part, key).value;
    if (found && (!json_is_integer(found) || json_integer_value(found) < 0))
        return thaw_json_fail(part, THAW_BAD_FORMAT, "%s must be a whole number from 0", key);
    *value = found ? json_integer_value(found) : *value;
    return THAW_OK;
}

thaw_status thaw_json_get_text(const thaw_json_part *part, const char *key, const char **value)
{
    const json_t *found = thaw_json_member(part, key).value;
    if (found && !json_is_string(found))
        return thaw_json_fail(part, THAW_BAD_FORMAT, "%s must be a string", key);
    *value = found ? json_string_value(found) : *value;
    return THAW_OK;
}

thaw_status thaw_json_demand_flag(const thaw_json_part *part, const char *key, bool value)
{
    bool found = value;
    const thaw_status status = thaw_json_get_flag(part, key, &found);
    if (status == THAW_OK && found != value)
        return thaw_json_fail(part, THAW_UNSUPPORTED, "%s=%s is not supported", key, found ? "true" : "false");
    return status;
}

thaw_status thaw_json_demand_empty(const thaw_json_part *part, const char *key)
{
    const char *found = "";
    const thaw_status status = thaw_json_get_text(part, key, &found);
    if (status == THAW_OK && *found)
        return thaw_json_fail(part, THAW_UNSUPPORTED, "%s=\"%.60s\" is not supported", key, found);
    return status;
}
