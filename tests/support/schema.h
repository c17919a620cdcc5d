/* Checks JSON against a schema: of draft 7 what bench/results.schema.json uses. */
#ifndef THAW_TESTS_SUPPORT_SCHEMA_H
#define THAW_TESTS_SUPPORT_SCHEMA_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* Reads a JSON file of the project, "bench/results.schema.json". The caller releases it. */
json_t *support_project_json(const char *name);

/* Whether a value is as the schema says; else where and why not is in `message`. Fails on a keyword that it does not
   know. */
bool support_schema_holds(const json_t *schema, const json_t *value, char *message, size_t capacity);

#endif
