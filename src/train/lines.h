/* Lines of "key<tab>value": the texts in a checkpoint. Control characters and backslashes in keys and values are
   escaped. */
#ifndef THAW_TRAIN_LINES_H
#define THAW_TRAIN_LINES_H

#include "core/text.h"

typedef struct thaw_line {
    const char *key, *value;
} thaw_line;

/* A text that was read. */
typedef struct thaw_lines {
    thaw_context *context;
    char *text;
    thaw_line *lines; /* sorted by key */
    size_t count;
    thaw_text key; /* of the last search */
} thaw_lines;

/* ---- writing ---- */

/* Appends `kind`, or "kind name", or "kind name,detail", and a tab. */
void thaw_lines_begin(thaw_text *text, const char *kind, const char *name, const char *detail);

/* Appends characters, escaped. */
void thaw_lines_escape(thaw_text *text, const char *characters);

/* Appends a number to be read, with 17 digits and a point in any locale. */
void thaw_lines_append_real(thaw_text *text, double value);

/* Appends a number as its bits, in hexadecimal. */
void thaw_lines_append_bits(thaw_text *text, double value);

/* Whole lines of one value. */
void thaw_lines_add_text(thaw_text *text, const char *kind, const char *value);
void thaw_lines_add_number(thaw_text *text, const char *kind, uint64_t value);
void thaw_lines_add_real(thaw_text *text, const char *kind, double value);

/* ---- reading ---- */

/* Copies and splits a text; `path` is for messages. Errors: THAW_BAD_FORMAT (no such lines, or a key twice),
   THAW_OUT_OF_MEMORY. */
thaw_status thaw_lines_parse(thaw_context *context, const char *path, const char *bytes, size_t count,
                             thaw_lines *lines);
void thaw_lines_release(thaw_lines *lines);

/* The value of a key, or NULL. Out of memory looks like a missing key. */
const char *thaw_lines_find(thaw_lines *lines, const char *kind, const char *name, const char *detail);

/* Reads a whole decimal number, or bits, from *value on, and passes it and a blank after it. */
bool thaw_lines_read_number(const char **value, uint64_t *number);
bool thaw_lines_read_bits(const char **value, double *number);

#endif
