#include "support/schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/support.h"

/* Where a value stands, and what is wrong with it. */
typedef struct check {
    const json_t *root;
    char *message;
    size_t capacity;
} check;

json_t *support_project_json(const char *name)
{
    char path[1024];
    json_error_t error;
    snprintf(path, sizeof path, "%s/%s", getenv("THAW_SOURCE_ROOT"), name);
    json_t *value = json_load_file(path, 0, &error);
    cr_assert_not_null(value, "%s: %s", path, error.text);
    return value;
}

static bool holds(const check *now, const json_t *schema, const json_t *value, const char *path);

static bool fail(const check *now, const char *path, const char *what)
{
    snprintf(now->message, now->capacity, "%s: %s", path, what);
    return false;
}

static bool is_of(const char *type, const json_t *value)
{
    if (strcmp(type, "number") == 0)
        return json_is_number(value);
    if (strcmp(type, "integer") == 0)
        return json_is_integer(value);
    if (strcmp(type, "string") == 0)
        return json_is_string(value);
    if (strcmp(type, "boolean") == 0)
        return json_is_boolean(value);
    if (strcmp(type, "null") == 0)
        return json_is_null(value);
    return strcmp(type, "object") == 0 ? json_is_object(value) : json_is_array(value);
}

static bool has_type(const json_t *types, const json_t *value)
{
    if (json_is_string(types))
        return is_of(json_string_value(types), value);
    for (size_t i = 0; i < json_array_size(types); i++)
        if (is_of(json_string_value(json_array_get(types, i)), value))
            return true;
    return false;
}

static bool all_there(const check *now, const json_t *needed, const json_t *value, const char *path)
{
    for (size_t i = 0; i < json_array_size(needed); i++) {
        char below[512];
        const char *key = json_string_value(json_array_get(needed, i));
        snprintf(below, sizeof below, "%s/%s", path, key);
        if (!json_object_get(value, key))
            return fail(now, below, "is missing");
    }
    return true;
}

static bool properties_hold(const check *now, const json_t *schema, const json_t *value, const char *path)
{
    const json_t *known = json_object_get(schema, "properties");
    char below[512];
    const char *key;
    json_t *part;
    json_object_foreach((json_t *)(uintptr_t)value, key, part)
    {
        const json_t *wanted = json_object_get(known, key);
        snprintf(below, sizeof below, "%s/%s", path, key);
        if (!wanted && json_is_false(json_object_get(schema, "additionalProperties")))
            return fail(now, below, "is not known");
        if (wanted && !holds(now, wanted, part, below))
            return false;
    }
    return true;
}

static bool items_hold(const check *now, const json_t *items, const json_t *value, const char *path)
{
    for (size_t i = 0; i < json_array_size(value); i++) {
        char below[512];
        snprintf(below, sizeof below, "%s/%zu", path, i);
        if (!holds(now, items, json_array_get(value, i), below))
            return false;
    }
    return true;
}

static bool any_equal(const json_t *list, const json_t *value)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (json_equal(json_array_get(list, i), value))
            return true;
    return false;
}

static bool any_holds(const check *now, const json_t *schemas, const json_t *value, const char *path)
{
    for (size_t i = 0; i < json_array_size(schemas); i++)
        if (holds(now, json_array_get(schemas, i), value, path))
            return true;
    return false;
}

static bool keyword_holds(const check *now, const json_t *schema, const char *keyword, const json_t *says,
                          const json_t *value, const char *path)
{
    static const char *const silent[] = { "description", "title",       "$schema",
                                          "$id",         "definitions", "additionalProperties" };
    static const char DEFINITIONS[] = "#/definitions/";
    for (size_t i = 0; i < THAW_COUNT(silent); i++)
        if (strcmp(keyword, silent[i]) == 0)
            return true;
    if (strcmp(keyword, "$ref") == 0)
        return holds(now,
                     json_object_get(json_object_get(now->root, "definitions"),
                                     json_string_value(says) + strlen(DEFINITIONS)),
                     value, path);
    if (strcmp(keyword, "type") == 0)
        return has_type(says, value) || fail(now, path, "is of another type");
    if (strcmp(keyword, "const") == 0)
        return json_equal(says, value) || fail(now, path, "is another constant");
    if (strcmp(keyword, "enum") == 0)
        return any_equal(says, value) || fail(now, path, "is none of the words");
    if (strcmp(keyword, "anyOf") == 0)
        return any_holds(now, says, value, path);
    if (strcmp(keyword, "minimum") == 0)
        return !json_is_number(value) || json_number_value(value) >= json_number_value(says) ||
               fail(now, path, "is too small");
    if (strcmp(keyword, "items") == 0)
        return items_hold(now, says, value, path);
    if (strcmp(keyword, "required") == 0)
        return all_there(now, says, value, path);
    if (strcmp(keyword, "properties") == 0)
        return properties_hold(now, schema, value, path);
    return fail(now, keyword, "is a keyword that this check does not know");
}

static bool holds(const check *now, const json_t *schema, const json_t *value, const char *path)
{
    const char *keyword;
    json_t *says;
    if (!schema)
        return fail(now, path, "has no schema");
    json_object_foreach((json_t *)(uintptr_t)schema, keyword,
                        says) if (!keyword_holds(now, schema, keyword, says, value, path)) return false;
    return true;
}

bool support_schema_holds(const json_t *schema, const json_t *value, char *message, size_t capacity)
{
    const check now = { schema, message, capacity };
    return holds(&now, schema, value, "");
}
