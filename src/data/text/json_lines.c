#include "data/text/json_lines.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "core/allocation.h"
#include "core/context.h"
#include "core/nearest.h"
#include "data/limit.h"
#include "data/text/repair.h"
#include "data/text/whole_file.h"

static thaw_status add_cell(thaw_table *table, const char *value)
{
    thaw_context *context = table->context;
    const size_t bytes = strlen(value) + 1;
    char *text = thaw_grow(context, table->text, &table->text_capacity, table->text_bytes + bytes, 1);
    if (!text)
        return THAW_OUT_OF_MEMORY;
    table->text = text;
    size_t *cells = thaw_grow(context, table->cells, &table->cell_capacity, table->cell_count + 1, sizeof *cells);
    if (!cells)
        return THAW_OUT_OF_MEMORY;
    table->cells = cells;
    cells[table->cell_count++] = table->text_bytes;
    memcpy(text + table->text_bytes, value, bytes);
    table->text_bytes += bytes;
    return THAW_OK;
}

/* Ends a row; the names are the first. */
static thaw_status add_line(thaw_table *table, size_t number, size_t rows)
{
    size_t *lines = thaw_grow(table->context, table->lines, &table->line_capacity, rows + 1, sizeof *lines);
    if (!lines)
        return THAW_OUT_OF_MEMORY;
    table->lines = lines;
    lines[rows] = number;
    return thaw_data_allow(table->context, table->path, table->text_bytes + table->cell_count * sizeof *table->cells,
                           1);
}

static thaw_status fail_missing(const thaw_table *table, json_t *object, const char *key, size_t number)
{
    enum { MOST_SHOWN = 64 };
    const char *names[MOST_SHOWN], *name;
    size_t count = 0;
    json_t *value;
    json_object_foreach(object, name, value)
    {
        if (count < MOST_SHOWN)
            names[count++] = name;
    }
    const char *nearest = thaw_nearest(key, names, count);
    return thaw_fail(table->context, THAW_NOT_FOUND, "%s: line %zu has no \"%.100s\"%s%.100s%s", table->path, number,
                     key, nearest ? ", did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
}

static thaw_status add_value(thaw_table *table, json_t *object, const char *key, size_t number)
{
    const json_t *value = json_object_get(object, key);
    char text[40];
    if (!value)
        return fail_missing(table, object, key, number);
    if (json_is_string(value))
        return add_cell(table, json_string_value(value));
    if (json_is_integer(value))
        snprintf(text, sizeof text, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_real(value))
        snprintf(text, sizeof text, "%.17g", json_real_value(value));
    else if (json_is_boolean(value))
        strcpy(text, json_is_true(value) ? "true" : "false");
    else
        return thaw_fail(table->context, THAW_BAD_FORMAT,
                         "%s: line %zu: \"%.100s\" must be a string, a number, true or false", table->path, number,
                         key);
    return add_cell(table, text);
}

static thaw_status add_object(thaw_table *table, const char *line, size_t bytes, size_t number, const char *const *keys,
                              size_t count)
{
    json_error_t error;
    json_t *object = json_loadb(line, bytes, JSON_REJECT_DUPLICATES, &error);
    thaw_status status = THAW_OK;
    if (!json_is_object(object))
        status = thaw_fail(table->context, THAW_BAD_FORMAT, "%s: line %zu: %s", table->path, number,
                           object ? "must be an object of JSON" : error.text);
    for (size_t i = 0; i < count && status == THAW_OK; i++)
        status = add_value(table, object, keys[i], number);
    json_decref(object);
    return status == THAW_OK ? add_line(table, number, ++table->rows) : status;
}

static thaw_status add_all(thaw_table *table, const char *text, size_t bytes, const char *const *keys, size_t count)
{
    thaw_status status = THAW_OK;
    table->columns = count;
    for (size_t i = 0; i < count && status == THAW_OK; i++)
        status = add_cell(table, keys[i]);
    if (status == THAW_OK)
        status = add_line(table, 0, 0);
    for (size_t at = 0, number = 1; at < bytes && status == THAW_OK; number++) {
        const char *line = text + at, *end = memchr(line, '\n', bytes - at);
        const size_t length = end ? (size_t)(end - line) : bytes - at;
        at += length + 1;
        size_t blanks = 0;
        while (blanks < length && memchr(" \t\r", line[blanks], 3))
            blanks++;
        if (blanks < length)
            status = add_object(table, line, length, number, keys, count);
    }
    if (status == THAW_OK && table->rows == 0)
        return thaw_fail(table->context, THAW_BAD_FORMAT, "%s: has no rows", table->path);
    return status;
}

/* Puts a repaired copy in place of the text. */
static thaw_status repair(const thaw_table *table, char **text, size_t *bytes)
{
    size_t replaced, whole;
    if (thaw_utf8_valid((const unsigned char *)*text, *bytes) == *bytes)
        return THAW_OK;
    char *repaired = thaw_multiply_sizes(*bytes, 3, &whole) ? thaw_allocate_raw(table->context, whole) : NULL;
    if (!repaired)
        return thaw_fail(table->context, THAW_OUT_OF_MEMORY, "%s: no memory to replace what is not UTF-8", table->path);
    *bytes = thaw_utf8_repair((const unsigned char *)*text, *bytes, (unsigned char *)repaired, &replaced);
    thaw_release(table->context, *text);
    *text = repaired;
    thaw_log(table->context, THAW_LOG_WARNING, "%s: %zu parts of texts are not UTF-8 and were replaced by U+FFFD",
             table->path, replaced);
    return THAW_OK;
}

thaw_status thaw_json_lines_read(thaw_table *table, const char *path, const char *const *keys, size_t count)
{
    char *text;
    size_t bytes;
    table->path = path;
    thaw_status status = thaw_whole_file_read(table->context, path, &text, &bytes);
    if (status == THAW_OK)
        status = repair(table, &text, &bytes);
    if (status == THAW_OK)
        status = add_all(table, text, bytes, keys, count);
    thaw_release(table->context, text);
    return status;
}
