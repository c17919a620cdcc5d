/* A file as one text. */
#ifndef THAW_DATA_TEXT_WHOLE_FILE_H
#define THAW_DATA_TEXT_WHOLE_FILE_H

#include <thaw/context.h>

/* Reads a regular file, gzip or not. The caller frees *text with thaw_release; it is NULL after an error. A zero byte
   follows the text. Errors: THAW_IO_ERROR, THAW_BAD_FORMAT (broken gzip), THAW_OUT_OF_MEMORY (also if it would exceed
   the limit of thaw_data_allow). */
thaw_status thaw_whole_file_read(thaw_context *context, const char *path, char **text, size_t *bytes);

#endif
