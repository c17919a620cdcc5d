#include "models/folder/config.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <thaw/runtime.h>

enum { WANTED = 120 };

/* NULL: missing, or null. */
static const json_t *value_of(const thaw_config *config, const char *key)
{
    const json_t *value = json_object_get(config->root, key);
    return json_is_null(value) ? NULL : value;
}

thaw_status thaw_config_refuse(const thaw_config *config, thaw_status status, const char *key, const json_t *value,
                               const char *wanted)
{
    if (!value)
        return thaw_fail(config->context, status, "%s: %s is missing, must be %s", config->path, key, wanted);
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(9));
    thaw_fail(config->context, status, "%s: %s is %.60s, must be %s", config->path, key, text ? text : "something else",
              wanted);
    free(text);
    return status;
}

static bool is_size(const json_t *value, int64_t most)
{
    return json_is_integer(value) && json_integer_value(value) >= 1 && json_integer_value(value) <= most;
}

thaw_status thaw_config_size(const thaw_config *config, const char *key, int64_t missing, int64_t most, int64_t *size)
{
    char wanted[WANTED];
    const json_t *value = value_of(config, key);
    *size = missing;
    if (!value && missing)
        return THAW_OK;
    snprintf(wanted, sizeof wanted, "a whole number from 1 to %lld", (long long)most);
    if (!is_size(value, most))
        return thaw_config_refuse(config, THAW_BAD_FORMAT, key, value, wanted);
    *size = json_integer_value(value);
    return THAW_OK;
}

thaw_status thaw_config_side(const thaw_config *config, const char *key, int64_t missing, int64_t *side)
{
    const json_t *value = value_of(config, key), *height = json_array_get(value, 0), *width = json_array_get(value, 1);
    if (!json_is_array(value))
        return thaw_config_size(config, key, missing, THAW_CONFIG_LARGEST_SIZE, side);
    if (json_array_size(value) != 2 || !is_size(height, THAW_CONFIG_LARGEST_SIZE) ||
        !is_size(width, THAW_CONFIG_LARGEST_SIZE))
        return thaw_config_refuse(config, THAW_BAD_FORMAT, key, value, "a whole number, or height and width");
    *side = json_integer_value(height);
    return *side == json_integer_value(width)
               ? THAW_OK
               : thaw_config_refuse(config, THAW_UNSUPPORTED, key, value, "a square's height and width");
}

thaw_status thaw_config_rate(const thaw_config *config, const char *key, double missing, double *rate)
{
    const json_t *value = value_of(config, key);
    *rate = value ? json_number_value(value) : missing;
    if (!value || (json_is_number(value) && *rate >= 0 && *rate < 1))
        return THAW_OK;
    return thaw_config_refuse(config, THAW_BAD_FORMAT, key, value, "a number of at least 0 and below 1");
}

thaw_status thaw_config_word(const thaw_config *config, const char *key, const char *const *words, size_t *index)
{
    char wanted[WANTED] = "one of", word[40];
    const json_t *value = value_of(config, key);
    const char *text = json_string_value(value);
    *index = 0;
    if (!value)
        return THAW_OK;
    if (!text)
        return thaw_config_refuse(config, THAW_BAD_FORMAT, key, value, "a text");
    for (; words[*index]; (*index)++) {
        if (strcmp(words[*index], text) == 0)
            return THAW_OK;
        snprintf(word, sizeof word, "%s \"%s\"", *index ? "," : "", words[*index]);
        strncat(wanted, word, sizeof wanted - strlen(wanted) - 1);
    }
    return thaw_config_refuse(config, THAW_UNSUPPORTED, key, value,
                              *index > 1 ? wanted : wanted + sizeof "one of"); /* the only word */
}

thaw_status thaw_config_demand_word(const thaw_config *config, const char *key, const char *word)
{
    size_t index;
    const char *const words[] = { word, NULL };
    return thaw_config_word(config, key, words, &index);
}

thaw_status thaw_config_demand_truth(const thaw_config *config, const char *key, bool truth, bool missing)
{
    const json_t *value = value_of(config, key);
    if (value && !json_is_boolean(value))
        return thaw_config_refuse(config, THAW_BAD_FORMAT, key, value, "true or false");
    if ((value ? json_is_true(value) : missing) == truth)
        return THAW_OK;
    return thaw_config_refuse(config, THAW_UNSUPPORTED, key, value, truth ? "true" : "false");
}

thaw_status thaw_config_demand_number(const thaw_config *config, const char *key, double number, double missing)
{
    char wanted[WANTED];
    const json_t *value = value_of(config, key);
    const bool same = value ? json_number_value(value) >= number && json_number_value(value) <= number
                            : missing >= number && missing <= number;
    snprintf(wanted, sizeof wanted, "%g", number);
    if (value && !json_is_number(value))
        return thaw_config_refuse(config, THAW_BAD_FORMAT, key, value, wanted);
    return same ? THAW_OK : thaw_config_refuse(config, THAW_UNSUPPORTED, key, value, wanted);
}
