/* JSON lines: an object on each line. */
#ifndef THAW_DATA_TEXT_JSON_LINES_H
#define THAW_DATA_TEXT_JSON_LINES_H

#include "data/table.h"

/* Reads the values of these keys, each a string, a number or a boolean, as the columns of a table. The file may be
   gzip; blank lines are skipped. Invalid UTF-8 becomes U+FFFD, with a warning that counts. Errors: THAW_IO_ERROR,
   THAW_BAD_FORMAT (the message names the line), THAW_NOT_FOUND (a key that a line lacks), THAW_OUT_OF_MEMORY. */
thaw_status thaw_json_lines_read(thaw_table *table, const char *path, const char *const *keys, size_t count);

#endif
