#include "train/lines.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/allocation.h"

/* ---------------------------------------------------------------- writing */

static bool is_plain(unsigned char character)
{
    return character >= 0x20 && character != '\\';
}

void thaw_lines_escape(thaw_text *text, const char *characters)
{
    while (*characters) {
        size_t plain = 0;
        while (characters[plain] && is_plain((unsigned char)characters[plain]))
            plain++;
        thaw_text_append(text, "%.*s", (int)plain, characters);
        characters += plain;
        if (*characters)
            thaw_text_append(text, "\\x%02x", (unsigned)(unsigned char)*characters++);
    }
}

void thaw_lines_begin(thaw_text *text, const char *kind, const char *name, const char *detail)
{
    thaw_text_append(text, "%s", kind);
    if (name) {
        thaw_text_append(text, " ");
        thaw_lines_escape(text, name);
    }
    if (detail) {
        thaw_text_append(text, ",");
        thaw_lines_escape(text, detail);
    }
    thaw_text_append(text, "\t");
}

void thaw_lines_append_real(thaw_text *text, double value)
{
    char digits[40];
    snprintf(digits, sizeof digits, "%.17g", value);
    for (char *c = digits; *c; c++)
        if (*c == ',')
            *c = '.';
    thaw_text_append(text, "%s", digits);
}

void thaw_lines_append_bits(thaw_text *text, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    thaw_text_append(text, "%016" PRIx64, bits);
}

void thaw_lines_add_text(thaw_text *text, const char *kind, const char *value)
{
    thaw_lines_begin(text, kind, NULL, NULL);
    thaw_lines_escape(text, value);
    thaw_text_append(text, "\n");
}

void thaw_lines_add_number(thaw_text *text, const char *kind, uint64_t value)
{
    thaw_lines_begin(text, kind, NULL, NULL);
    thaw_text_append(text, "%" PRIu64 "\n", value);
}

void thaw_lines_add_real(thaw_text *text, const char *kind, double value)
{
    thaw_lines_begin(text, kind, NULL, NULL);
    thaw_lines_append_real(text, value);
    thaw_text_append(text, "\n");
}

/* ---------------------------------------------------------------- reading */

static int by_key(const void *left, const void *right)
{
    return strcmp(((const thaw_line *)left)->key, ((const thaw_line *)right)->key);
}

/* Cuts the copy at tabs and ends of lines. Empty lines fill up the text's length. */
static thaw_status split(const char *path, thaw_lines *lines)
{
    char *rest = lines->text;
    while (*rest) {
        char *end = strchr(rest, '\n'), *tab = strchr(rest, '\t');
        if (end == rest) {
            rest++;
            continue;
        }
        if (!end || !tab || tab > end)
            return thaw_fail(lines->context, THAW_BAD_FORMAT, "%s: a line of its description has no key and value",
                             path);
        *tab = *end = '\0';
        lines->lines[lines->count++] = (thaw_line){ rest, tab + 1 };
        rest = end + 1;
    }
    qsort(lines->lines, lines->count, sizeof *lines->lines, by_key);
    for (size_t i = 1; i < lines->count; i++)
        if (by_key(&lines->lines[i - 1], &lines->lines[i]) == 0)
            return thaw_fail(lines->context, THAW_BAD_FORMAT, "%s: describes \"%.100s\" twice", path,
                             lines->lines[i].key);
    return THAW_OK;
}

thaw_status thaw_lines_parse(thaw_context *context, const char *path, const char *bytes, size_t count,
                             thaw_lines *lines)
{
    size_t ends = 0;
    *lines = (thaw_lines){ .context = context, .key = { .context = context } };
    for (size_t i = 0; i < count; i++)
        ends += bytes[i] == '\n';
    lines->text = thaw_allocate(context, count + 1);
    lines->lines = thaw_allocate_array(context, ends + 1, sizeof *lines->lines);
    if (!lines->text || !lines->lines)
        return THAW_OUT_OF_MEMORY;
    memcpy(lines->text, bytes, count);
    return split(path, lines);
}

void thaw_lines_release(thaw_lines *lines)
{
    if (!lines->context)
        return;
    thaw_release(lines->context, lines->text);
    thaw_release(lines->context, lines->lines);
    thaw_release(lines->context, lines->key.characters);
    *lines = (thaw_lines){ 0 };
}

const char *thaw_lines_find(thaw_lines *lines, const char *kind, const char *name, const char *detail)
{
    lines->key.length = 0;
    thaw_lines_begin(&lines->key, kind, name, detail);
    if (lines->key.failed)
        return NULL;
    lines->key.characters[lines->key.length - 1] = '\0'; /* the tab */
    const thaw_line wanted = { .key = lines->key.characters };
    const thaw_line *found = bsearch(&wanted, lines->lines, lines->count, sizeof *lines->lines, by_key);
    return found ? found->value : NULL;
}

static bool pass(const char **value, const char *end)
{
    if (end == *value || (*end && *end != ' '))
        return false;
    *value = *end ? end + 1 : end;
    return true;
}

bool thaw_lines_read_number(const char **value, uint64_t *number)
{
    char *end;
    if (**value < '0' || **value > '9')
        return false;
    *number = strtoull(*value, &end, 10);
    return pass(value, end);
}

bool thaw_lines_read_bits(const char **value, double *number)
{
    char *end;
    const uint64_t bits = strtoull(*value, &end, 16);
    memcpy(number, &bits, sizeof bits);
    return end - *value == 16 && pass(value, end);
}
