/* A reader of run logs that shares no code with the library. */
#ifndef THAW_TESTS_REPORT_LOG_READER_H
#define THAW_TESTS_REPORT_LOG_READER_H

#include <stddef.h>

enum { LOG_MOST_ROWS = 20, LOG_MOST_COLUMNS = 40, LOG_MOST_BYTES = 1 << 16 };

typedef struct log_table {
    size_t columns, rows;
    char names[LOG_MOST_COLUMNS][64];
    double values[LOG_MOST_ROWS][LOG_MOST_COLUMNS]; /* NAN: empty */
} log_table;

/* Reads a file of the log into memory of LOG_MOST_BYTES, and returns its length. */
long log_read(const char *folder, const char *name, char *bytes);

log_table log_read_table(const char *folder, const char *name);

/* A value by its row and its column's name. */
double log_at(const log_table *t, size_t row, const char *name);

/* The scalars in the events: records less the first. */
size_t log_count_events(const char *folder);

/* The values in a table that are not empty, but for the first three columns. */
size_t log_count_values(const log_table *t);

#endif
