/* The checksum of a file of results: whether its content is what was written. */
#ifndef THAW_REPORT_CHECKSUM_H
#define THAW_REPORT_CHECKSUM_H

#include <jansson.h>
#include <thaw/context.h>

#define THAW_RESULTS_CHECKSUM "checksum" /* its key */

/* Room for the text of a checksum: eight hexadecimal digits. */
enum { THAW_CHECKSUM_BYTES = 9 };

/* The masked CRC-32C of the results without their checksum, dumped compactly with sorted keys. `path` is for the
   message. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_results_checksum(thaw_context *context, const char *path, const json_t *results,
                                  char digits[THAW_CHECKSUM_BYTES]);

/* Results without one are accepted: other tools make such, and people who edit a file remove it. Errors:
   THAW_BAD_FORMAT (it is not that of the content), THAW_OUT_OF_MEMORY. */
thaw_status thaw_results_check(thaw_context *context, const char *path, const json_t *results);

#endif
