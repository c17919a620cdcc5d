/* Reports: one page of HTML that needs no network, for people, from files of results. A comparison writes one of its own
   (thaw_comparison_write_report); these calls are for files that are there. */
#ifndef THAW_REPORT_H
#define THAW_REPORT_H

#include <thaw/context.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Writes `directory`/index.html from the files: at most one of results (bench/results.schema.json), and any number of
   measurements, an object of bench/measurement.schema.json a line, as benchmarks print them. The directory is made where
   there is none. A page is replaced whole or not at all.
   Errors: THAW_INVALID_ARGUMENT (no file, or results twice), THAW_BAD_FORMAT (a file is neither; the message says where),
   THAW_IO_ERROR, THAW_OUT_OF_MEMORY. */
THAW_API thaw_status thaw_report_write(thaw_context *context, const char *const *files, size_t count,
                                       const char *directory);

#ifdef __cplusplus
}
#endif

#endif
