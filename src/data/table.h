/* A table of texts: a file of comma-separated values, as RFC 4180 describes it. */
#ifndef THAW_DATA_TABLE_H
#define THAW_DATA_TABLE_H

#include "data/content.h"

enum { THAW_TABLE_MOST_COLUMNS = 1 << 16 };

/* Starts as zero, except the context. Row r of column c is cells[(r + 1) * columns + c]; the first are the names. */
typedef struct thaw_table {
    thaw_context *context;
    const char *path;
    char *text; /* of all cells, each with its terminating zero */
    size_t text_bytes, text_capacity;
    size_t *cells; /* offsets in `text` */
    size_t cell_count, cell_capacity;
    size_t *lines; /* where each row begins, from 1; also that of the names */
    size_t line_capacity;
    size_t rows, columns;
} thaw_table;

/* How the file is written. */
typedef struct thaw_table_format {
    char delimiter;
    bool plain;     /* quotation marks are characters */
    bool no_header; /* columns are then named by their numbers, from 1 */
} thaw_table_format;

/* Reads a table. Fields may be in quotation marks, lines end with LF or CR LF, and blank lines are skipped. Every row has
   as many fields as the first. Errors: THAW_IO_ERROR, THAW_BAD_FORMAT (the message names line and column),
   THAW_OUT_OF_MEMORY (also if it would exceed the limit of thaw_data_allow). */
thaw_status thaw_table_read(thaw_table *table, const thaw_content *from, const thaw_table_format *format);

void thaw_table_release(thaw_table *table);

static inline const char *thaw_table_name(const thaw_table *table, size_t column)
{
    return table->text + table->cells[column];
}

static inline const char *thaw_table_cell(const thaw_table *table, size_t row, size_t column)
{
    return table->text + table->cells[(row + 1) * table->columns + column];
}

/* Finds a column by its name, or by its number from 1. */
bool thaw_table_find(const thaw_table *table, const char *name, size_t *column);

/* The same for a column that must be there. Errors: THAW_NOT_FOUND (the message has the nearest name),
   THAW_OUT_OF_MEMORY. */
thaw_status thaw_table_require(const thaw_table *table, const char *name, size_t *column);

/* Fails at a cell: "FILE: line 3, column 2 (age): FAULT". */
thaw_status thaw_table_fail(const thaw_table *table, size_t row, size_t column, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Keeps the rows that are marked, in their order. */
void thaw_table_keep(thaw_table *table, const bool *stays);

/* Whether a cell has no value: it is empty, or NA, N/A, NaN, nan, null, NULL or ?. */
bool thaw_table_is_missing(const char *cell);

/* Reads a cell as a number, with blanks around it or not. */
bool thaw_table_number(const char *cell, double *value);

#endif
