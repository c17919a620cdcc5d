/* Reports: an HTML page from result files that needs no network. A comparison writes its own report
   (thaw_comparison_write_report); these calls are for existing files. */
#ifndef THAW_REPORT_H
#define THAW_REPORT_H

#include <thaw/context.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Writes `directory`/index.html from files: at most one with results (bench/results.schema.json), and any number with
   measurements, which hold one object of bench/measurement.schema.json per line, as benchmarks print them. The
   directory is created if necessary. A page is replaced completely or not at all.
   Errors: THAW_INVALID_ARGUMENT (no file, or two files of results), THAW_BAD_FORMAT (a file is neither, and the message
   says where; or its "checksum" is not that of its content), THAW_IO_ERROR, THAW_OUT_OF_MEMORY. */
THAW_API thaw_status thaw_report_write(thaw_context *context, const char *const *files, size_t count,
                                       const char *directory);

#ifdef __cplusplus
}
#endif

#endif
