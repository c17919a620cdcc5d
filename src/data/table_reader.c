/* Reads a table, character by character. */
#include <stdio.h>
#include <string.h>

#include "core/allocation.h"
#include "data/limit.h"
#include "data/table.h"

enum { BUFFER_BYTES = 1 << 16 };

typedef enum state {
    BEGINNING, /* of a field */
    PLAIN,
    QUOTED,
    QUOTE, /* in a quoted field: its end, or the first of two */
    RETURN /* CR, which LF must follow */
} state;

typedef struct reader {
    thaw_table *table;
    const thaw_table_format *format;
    state state;
    size_t line;   /* of the next character */
    size_t record; /* where the record begins */
    size_t fields; /* of the record, that are complete */
    bool quoted;   /* some field of the record was quoted */
} reader;

static thaw_status fail(const reader *r, const char *fault)
{
    return thaw_fail(r->table->context, THAW_BAD_FORMAT, "%s: line %zu, column %zu: %s", r->table->path, r->line,
                     r->fields + 1, fault);
}

static thaw_status add_character(reader *r, char c)
{
    thaw_table *t = r->table;
    if (t->text_bytes == t->text_capacity) {
        char *grown = thaw_grow(t->context, t->text, &t->text_capacity, t->text_bytes + 1, 1);
        if (!grown)
            return THAW_OUT_OF_MEMORY;
        t->text = grown;
    }
    t->text[t->text_bytes++] = c;
    return THAW_OK;
}

static thaw_status begin_field(reader *r)
{
    thaw_table *t = r->table;
    if (r->fields == THAW_TABLE_MOST_COLUMNS)
        return fail(r, "has too many columns, must have at most 65536");
    size_t *grown = thaw_grow(t->context, t->cells, &t->cell_capacity, t->cell_count + 1, sizeof *t->cells);
    if (!grown)
        return THAW_OUT_OF_MEMORY;
    t->cells = grown;
    t->cells[t->cell_count++] = t->text_bytes;
    return THAW_OK;
}

static thaw_status end_field(reader *r)
{
    r->fields++;
    r->state = BEGINNING;
    return add_character(r, '\0');
}

static thaw_status add_line(thaw_table *t, size_t line)
{
    size_t *grown = thaw_grow(t->context, t->lines, &t->line_capacity, t->rows + 2, sizeof *t->lines);
    if (!grown)
        return THAW_OUT_OF_MEMORY;
    t->lines = grown;
    t->lines[t->rows] = line;
    return THAW_OK;
}

/* Puts numbers in front of the first row, which are its columns' names. */
static thaw_status add_names(reader *r)
{
    thaw_table *t = r->table;
    const size_t count = r->fields;
    size_t *grown = thaw_grow(t->context, t->cells, &t->cell_capacity, 2 * count, sizeof *t->cells);
    if (!grown)
        return THAW_OUT_OF_MEMORY;
    t->cells = grown;
    memcpy(t->cells + count, t->cells, count * sizeof *t->cells);
    t->cell_count = 2 * count;
    thaw_status status = add_line(t, 0);
    for (size_t i = 0; i < count; i++) {
        char number[24];
        t->cells[i] = t->text_bytes;
        const size_t length = (size_t)snprintf(number, sizeof number, "%zu", i + 1);
        for (size_t k = 0; k <= length && status == THAW_OK; k++)
            status = add_character(r, number[k]);
    }
    t->rows = 1;
    return status;
}

/* While reading, `rows` counts the names, too. */
static thaw_status end_record(reader *r)
{
    thaw_table *t = r->table;
    thaw_status status = end_field(r);
    const size_t first = t->cell_count - r->fields, fields = r->fields;
    if (status == THAW_OK && fields == 1 && !r->quoted && !t->text[t->cells[first]]) {
        t->cell_count--; /* a blank line */
    } else if (status == THAW_OK) {
        if (t->columns && fields != t->columns)
            return thaw_fail(t->context, THAW_BAD_FORMAT, "%s: line %zu has %zu columns, must have %zu as the first",
                             t->path, r->record, fields, t->columns);
        if (!t->columns && r->format->no_header)
            status = add_names(r);
        t->columns = fields;
        if (status == THAW_OK)
            status = add_line(t, r->record);
        t->rows++;
        if (status == THAW_OK)
            status = thaw_data_allow(t->context, t->path, t->text_bytes + t->cell_count * sizeof *t->cells, 1);
    }
    r->fields = 0;
    r->quoted = false;
    r->record = r->line + 1;
    return status;
}

/* A character that ends a field, or CR. */
static bool ends(const reader *r, char c)
{
    return c == r->format->delimiter || c == '\n' || c == '\r';
}

static thaw_status take_end(reader *r, char c)
{
    if (c == '\r') {
        r->state = RETURN;
        return THAW_OK;
    }
    return c == '\n' ? end_record(r) : end_field(r);
}

static thaw_status take(reader *r, char c)
{
    if (c == '\0')
        return fail(r, "has a zero byte");
    if (r->state == BEGINNING) {
        const thaw_status status = begin_field(r);
        if (status != THAW_OK)
            return status;
        const bool quoted = c == '"' && !r->format->plain;
        r->state = quoted ? QUOTED : PLAIN;
        r->quoted |= quoted;
        if (quoted)
            return THAW_OK;
    }
    switch (r->state) {
    case QUOTED:
        if (c != '"')
            return add_character(r, c);
        r->state = QUOTE;
        return THAW_OK;
    case QUOTE:
        if (ends(r, c))
            return take_end(r, c);
        r->state = QUOTED;
        return c == '"' ? add_character(r, c) : fail(r, "text follows the closing quotation mark");
    case RETURN:
        return c == '\n' ? end_record(r) : fail(r, "has a carriage return that no line feed follows");
    case BEGINNING:
    case PLAIN:
        break;
    }
    if (ends(r, c))
        return take_end(r, c);
    return c != '"' || r->format->plain ? add_character(r, c)
                                        : fail(r, "has a quotation mark inside of a field that is not quoted");
}

/* The last line may lack its end. */
static thaw_status finish(reader *r)
{
    thaw_table *t = r->table;
    thaw_status status = THAW_OK;
    if (r->state == QUOTED)
        return thaw_fail(t->context, THAW_BAD_FORMAT, "%s: line %zu, column %zu: its quotation mark is never closed",
                         t->path, r->record, r->fields + 1);
    if (r->state == BEGINNING && r->fields)
        status = begin_field(r);
    if (status == THAW_OK && (r->state != BEGINNING || r->fields))
        status = end_record(r);
    if (status == THAW_OK && t->rows < 2)
        return thaw_fail(t->context, THAW_BAD_FORMAT, "%s: has no rows%s", t->path,
                         t->rows ? " below the names of its columns" : "");
    t->rows--;
    return status;
}

thaw_status thaw_table_read(thaw_table *table, const thaw_content *from, const thaw_table_format *format)
{
    static const char mark[] = "\xEF\xBB\xBF"; /* of UTF-8 */
    reader r = { .table = table, .format = format, .line = 1, .record = 1 };
    table->path = from->name;
    char *buffer = thaw_allocate_raw(table->context, BUFFER_BYTES);
    thaw_status status = buffer ? THAW_OK : THAW_OUT_OF_MEMORY;
    bool first = true;
    for (size_t got = BUFFER_BYTES; status == THAW_OK && got == BUFFER_BYTES; first = false) {
        status = from->read(from->user, buffer, BUFFER_BYTES, &got);
        const size_t skipped = first && got >= 3 && memcmp(buffer, mark, 3) == 0 ? 3 : 0;
        for (size_t i = skipped; i < got && status == THAW_OK; i++) {
            status = take(&r, buffer[i]);
            r.line += buffer[i] == '\n';
        }
    }
    thaw_release(table->context, buffer);
    return status == THAW_OK ? finish(&r) : status;
}
