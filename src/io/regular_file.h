/* Opens regular files for reading, and no others: a FIFO or a device could make the reader wait forever. */
#ifndef THAW_IO_REGULAR_FILE_H
#define THAW_IO_REGULAR_FILE_H

#include <stdio.h>
#include <thaw/context.h>

/* Opens a file for reading, without waiting for a writer; the caller closes the descriptor. `bytes` may be NULL.
   Errors: THAW_IO_ERROR (also when it is not a regular file); *descriptor is -1 then. */
thaw_status thaw_regular_file_open(thaw_context *context, const char *path, int *descriptor, uint64_t *bytes);

/* The same as a stream, which the caller closes; NULL after an error. */
thaw_status thaw_regular_file_stream(thaw_context *context, const char *path, FILE **stream);

#endif
