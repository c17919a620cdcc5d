/* Reads what a report is about: files of results and of measurements. */
#ifndef THAW_REPORT_READ_H
#define THAW_REPORT_READ_H

#include <jansson.h>
#include <thaw/context.h>

typedef struct thaw_report_inputs {
    json_t *results;      /* NULL: none */
    json_t *measurements; /* a list of objects */
} thaw_report_inputs;

/* Reads all files; the caller releases the inputs, on failure too. Errors: THAW_IO_ERROR (also if a file is not a
   regular one), THAW_BAD_FORMAT, THAW_INVALID_ARGUMENT (no file, or results twice), THAW_OUT_OF_MEMORY. */
thaw_status thaw_report_read(thaw_context *context, const char *const *files, size_t count, thaw_report_inputs *read);

void thaw_report_inputs_release(thaw_report_inputs *read);

#endif
