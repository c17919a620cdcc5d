/* Files of one JSON value. */
#ifndef THAW_IO_JSON_FILE_H
#define THAW_IO_JSON_FILE_H

#include <jansson.h>
#include <thaw/context.h>

/* Reads a file, for the caller to release (json_decref); NULL after an error.
   Errors: THAW_IO_ERROR (also when it is not a regular file), THAW_BAD_FORMAT (no JSON, or a key twice in an
   object). */
thaw_status thaw_json_read(thaw_context *context, const char *path, json_t **value);

#endif
