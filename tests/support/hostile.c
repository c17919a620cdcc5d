#include "support/hostile.h"

#include <criterion/criterion.h>
#include <stdio.h>

static const char *const values[] = {
    "0",    "-1",   "5e-324",         "1.7e308", "-1.7e308", "0.5", "9223372036854775807", "-9223372036854775808",
    "true", "null", "\"\\u001b[2J\"", "[]",      "{}",
};

typedef struct tour {
    json_t *document;
    void (*use)(const json_t *document, const char *change);
    size_t changes;
} tour;

static void visit(tour *now, json_t *container, const char *path);

static void put(json_t *container, const char *key, size_t index, json_t *value)
{
    cr_assert_eq(key ? json_object_set(container, key, value) : json_array_set(container, index, value), 0);
}

static void change(tour *now, json_t *container, const char *key, size_t index, const char *path)
{
    json_t *old = json_incref(key ? json_object_get(container, key) : json_array_get(container, index));
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        char what[512];
        json_t *value = json_loads(values[i], JSON_DECODE_ANY, NULL);
        cr_assert_not_null(value, "%s", values[i]);
        put(container, key, index, value);
        json_decref(value);
        snprintf(what, sizeof what, "%s = %s", path, values[i]);
        now->use(now->document, what);
        now->changes++;
    }
    put(container, key, index, old);
    visit(now, old, path);
    json_decref(old);
}

static void visit(tour *now, json_t *container, const char *path)
{
    char below[256];
    const char *key;
    json_t *value;
    json_object_foreach(container, key, value)
    {
        snprintf(below, sizeof below, "%.180s.%.60s", path, key);
        change(now, container, key, 0, below);
    }
    const size_t count = json_array_size(container);
    for (size_t i = 0; i<count; i += count> 1 && i == 0 ? count - 1 : 1) {
        snprintf(below, sizeof below, "%.180s[%zu]", path, i);
        change(now, container, NULL, i, below);
    }
}

size_t support_each_hostile(json_t *document, void (*use)(const json_t *document, const char *change))
{
    tour now = { .document = document, .use = use };
    visit(&now, document, "");
    return now.changes;
}
