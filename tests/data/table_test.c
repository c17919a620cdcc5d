/* Tables as RFC 4180 describes them. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "data/table.h"
#include "data/unpack.h"
#include "support/allocator.h"
#include "support/files.h"
#include "support/support.h"

static thaw_status read_bytes(thaw_context *context, const char *bytes, size_t count, const thaw_table_format *format,
                              thaw_table *table)
{
    char path[SUPPORT_PATH_BYTES];
    thaw_unpacker *unpacker;
    *table = (thaw_table){ .context = context };
    const int descriptor = support_memory_file(path, bytes, count);
    thaw_status status = thaw_unpacker_open(context, path, &unpacker);
    if (status == THAW_OK) {
        const thaw_content content = thaw_unpacker_content(unpacker);
        status = thaw_table_read(table, &content, format);
    }
    thaw_unpacker_close(unpacker);
    close(descriptor);
    return status;
}

/* "a|b/c|d": cells of rows, the names first. */
static const char *show(const thaw_table *table, char *text)
{
    char *at = text;
    for (size_t i = 0; i < (table->rows + 1) * table->columns; i++)
        at += sprintf(at, "%s%s", i == 0 ? "" : i % table->columns ? "|" : "/", table->text + table->cells[i]);
    return text;
}

static const struct {
    const char *bytes, *cells;
    char delimiter;
    bool no_header;
} good[] = {
    { "a,b\n1,2\n", "a|b/1|2", ',', false },
    { "a,b\r\n1,2\r\n3,4", "a|b/1|2/3|4", ',', false },
    { "\xEF\xBB\xBF"
      "a,b\n1,2\n",
      "a|b/1|2", ',', false },
    { "a,b\n\"x, y\",\"say \"\"hi\"\"\"\n", "a|b/x, y|say \"hi\"", ',', false },
    { "a,b\n\"two\nlines\",\n", "a|b/two\nlines|", ',', false },
    { "a,b\n\n,\n\r\n 1 ,2\n\n", "a|b/|/ 1 |2", ',', false },
    { "a;b\n1,5;2\n", "a|b/1,5|2", ';', false },
    { "1,2\n3,4\n", "1|2/1|2/3|4", ',', true },
    { "x\ty\tz\n", "1|2|3/x|y|z", '\t', true },
    { "a\n\"\"\n1", "a//1", ',', false },
    { "a,b\n1,", "a|b/1|", ',', false },
};

Test(table, is_read_as_written)
{
    support_allocator allocator = { 0 };
    thaw_context *context = support_context_on(&allocator);
    for (size_t i = 0; i < THAW_COUNT(good); i++) {
        const thaw_table_format format = { .delimiter = good[i].delimiter, .no_header = good[i].no_header };
        char text[256];
        thaw_table table;
        assert_ok(context, read_bytes(context, good[i].bytes, strlen(good[i].bytes), &format, &table));
        cr_assert_str_eq(show(&table, text), good[i].cells);
        thaw_table_release(&table);
        cr_assert_eq(allocator.live, 1);
    }
    thaw_context_destroy(context);
}

static const struct {
    const char *bytes, *message;
    size_t count; /* 0: up to the zero */
} bad[] = {
    { "", "has no rows", 0 },
    { "\n\n", "has no rows", 0 },
    { "a,b\n", "has no rows below the names of its columns", 0 },
    { "a,b\n1,2\n3\n", "line 3 has 1 columns, must have 2 as the first", 0 },
    { "a,b\n\"1\n2\",3\n4,5,6\n", "line 4 has 3 columns, must have 2", 0 },
    { "a,b\n1,x\"y\n", "line 2, column 2: has a quotation mark inside", 0 },
    { "a,b\n1,\"x\"y\n", "line 2, column 2: text follows the closing quotation mark", 0 },
    { "a,b\n1,\"x\n2,3\n", "line 2, column 2: its quotation mark is never closed", 0 },
    { "a,b\r1,2\r", "line 1, column 2: has a carriage return", 0 },
    { "a,b\n1,\0\n", "line 2, column 2: has a zero byte", 8 },
};

Test(table, faults_are_named_with_line_and_column)
{
    support_allocator allocator = { 0 };
    thaw_context *context = support_context_on(&allocator);
    for (size_t i = 0; i < THAW_COUNT(bad); i++) {
        const thaw_table_format format = { .delimiter = ',' };
        const size_t count = bad[i].count ? bad[i].count : strlen(bad[i].bytes);
        thaw_table table;
        assert_fails(context, read_bytes(context, bad[i].bytes, count, &format, &table), THAW_BAD_FORMAT,
                     bad[i].message);
        thaw_table_release(&table);
        cr_assert_eq(allocator.live, 1);
    }
    thaw_context_destroy(context);
}

/* A field may lie across the boundary of two reads of 65536 bytes. */
Test(table, buffers_have_no_edge)
{
    static char bytes[200000];
    thaw_context *context = support_context(1);
    const thaw_table_format format = { .delimiter = ',' };
    size_t at = (size_t)sprintf(bytes, "a,b\n");
    size_t rows = 0;
    for (; at + 32 < sizeof bytes; rows++)
        at += (size_t)sprintf(bytes + at, "%zu,\"%zu\"\"\r\n\"\r\n", rows, rows * rows);
    thaw_table table;
    assert_ok(context, read_bytes(context, bytes, at, &format, &table));
    cr_assert_eq(table.rows, rows);
    for (size_t row = 0; row < rows; row++) {
        char wanted[40];
        sprintf(wanted, "%zu\"\r\n", row * row);
        cr_assert_str_eq(thaw_table_cell(&table, row, 1), wanted);
        cr_assert_eq(table.lines[row + 1], 2 + 2 * row);
    }
    thaw_table_release(&table);
    thaw_context_limit_data(context, 10000);
    assert_fails(context, read_bytes(context, bytes, at, &format, &table), THAW_OUT_OF_MEMORY, "must be at most 10000");
    thaw_table_release(&table);
    thaw_context_destroy(context);
}
