/* Reads a file that may be gzip, strictly: a gzip file that is cut short, broken, or followed by other bytes is an
   error. gzread would accept some of these. */
#ifndef THAW_DATA_UNPACK_H
#define THAW_DATA_UNPACK_H

#include "data/content.h"

typedef struct thaw_unpacker thaw_unpacker;

/* `path` must outlive the unpacker. Errors: THAW_IO_ERROR (also when it is not a regular file), THAW_OUT_OF_MEMORY. */
thaw_status thaw_unpacker_open(thaw_context *context, const char *path, thaw_unpacker **unpacker);

/* Reads up to `wanted` bytes; fewer only at the end of the content. Errors: THAW_IO_ERROR, THAW_BAD_FORMAT. */
thaw_status thaw_unpacker_read(thaw_unpacker *unpacker, void *bytes, size_t wanted, size_t *got);

/* The content of a gzip file has no more bytes than this, whatever it is; UINT64_MAX: the file is not packed. */
uint64_t thaw_unpacker_most_bytes(const thaw_unpacker *unpacker);

/* The same file as a content, which the unpacker must outlive. */
thaw_content thaw_unpacker_content(thaw_unpacker *unpacker);

void thaw_unpacker_close(thaw_unpacker *unpacker); /* NULL is allowed */

#endif
