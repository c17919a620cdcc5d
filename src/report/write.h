/* Writes reports from parsed JSON. */
#ifndef THAW_REPORT_WRITE_H
#define THAW_REPORT_WRITE_H

#include <jansson.h>
#include <thaw/context.h>

#define THAW_RESULTS_SCHEMA "thaw-bench-2"
#define THAW_MEASUREMENT_SCHEMA "thaw-measurement-1"

/* Creates the directory and its missing parents. Errors: THAW_IO_ERROR (also if it is not a directory, or not
   writable). */
thaw_status thaw_report_make_directory(thaw_context *context, const char *directory);

/* Makes the page, which the caller releases (thaw_text_destroy). `results` or `measurements` may be NULL.
   Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_report_make_page(thaw_context *context, const json_t *results, const json_t *measurements,
                                  char **html);

/* Writes index.html. `results` or `measurements` may be NULL. Errors: THAW_IO_ERROR, THAW_OUT_OF_MEMORY. */
thaw_status thaw_report_write_page(thaw_context *context, const json_t *results, const json_t *measurements,
                                   const char *directory);

/* Writes the scalars of each run as an event file for TensorBoard: events/STRATEGY/OPTIMIZER/RATE/seed-N/. Errors:
   THAW_IO_ERROR, THAW_OUT_OF_MEMORY. */
thaw_status thaw_report_write_events(thaw_context *context, const json_t *results, const char *directory);

/* Replaces a file. Errors: THAW_IO_ERROR. */
thaw_status thaw_report_write_file(thaw_context *context, const char *path, const void *content, size_t bytes);

#endif
