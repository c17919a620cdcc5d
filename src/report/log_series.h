/* Series of values in a log: columns of a table, and scalars of TensorBoard under the same name. */
#ifndef THAW_REPORT_LOG_SERIES_H
#define THAW_REPORT_LOG_SERIES_H

#include "report/log_file.h"

typedef struct thaw_log_series {
    char name[160];
    double value; /* NAN: unknown */
} thaw_log_series;

/* Where a run is. */
typedef struct thaw_log_moment {
    size_t step; /* of the run */
    int epoch;
    double seconds; /* of training */
} thaw_log_moment;

/* Begins a table with a header for these series, or with `resume` continues one: rows after `now.step` are cut off, and
   so is a row that was not written whole. now->seconds becomes that of the last row that stays.
   Errors: THAW_IO_ERROR, THAW_OUT_OF_MEMORY, THAW_INVALID_ARGUMENT (there is a table, without `resume`; it has
   another header). */
thaw_status thaw_log_begin_table(const thaw_log_file *table, const thaw_log_series *series, size_t count, bool resume,
                                 thaw_log_moment *now);

/* The same for the events. Errors: THAW_IO_ERROR, THAW_OUT_OF_MEMORY. */
thaw_status thaw_log_begin_events(const thaw_log_file *events, thaw_log_moment now);

/* Appends a row to a table, and what is known of it to the events. Errors: THAW_IO_ERROR, THAW_OUT_OF_MEMORY. */
thaw_status thaw_log_write(const thaw_log_file *table, const thaw_log_file *events, thaw_log_moment now,
                           const thaw_log_series *series, size_t count);

#endif
