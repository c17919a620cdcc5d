/* Typed reads from the parts of tokenizer.json. */
#ifndef THAW_DATA_TEXT_JSON_PART_H
#define THAW_DATA_TEXT_JSON_PART_H

#include "io/json_file.h"

/* An object of the file, or the value of a key that must be one. */
typedef struct thaw_json_part {
    thaw_context *context;
    const char *path, *name; /* for messages */
    const json_t *value;     /* NULL: the file does not have it */
} thaw_json_part;

/* The member of a part; its value is NULL if it is missing or null. */
thaw_json_part thaw_json_member(const thaw_json_part *part, const char *key);

/* Fails: "FILE: PART: FAULT". */
thaw_status thaw_json_fail(const thaw_json_part *part, thaw_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Checks that a part is an object whose keys are among the known. Errors: THAW_BAD_FORMAT, THAW_UNSUPPORTED. */
thaw_status thaw_json_check(const thaw_json_part *part, const char *const *known, size_t count);

/* The "type" of a part. Errors: THAW_BAD_FORMAT (it has none, or is no object). */
thaw_status thaw_json_get_type(const thaw_json_part *part, const char **type);

/* Values of a key; what is missing or null leaves *value unchanged. Errors: THAW_BAD_FORMAT. */
thaw_status thaw_json_get_flag(const thaw_json_part *part, const char *key, bool *value);
thaw_status thaw_json_get_number(const thaw_json_part *part, const char *key, int64_t *value);
thaw_status thaw_json_get_text(const thaw_json_part *part, const char *key, const char **value);

/* Checks that a key has one value alone: it is missing, null, or equal. Errors: THAW_UNSUPPORTED, THAW_BAD_FORMAT. */
thaw_status thaw_json_demand_flag(const thaw_json_part *part, const char *key, bool value);
thaw_status thaw_json_demand_empty(const thaw_json_part *part, const char *key);

#endif
