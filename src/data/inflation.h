/* zlib's inflate, with the memory of a context. */
#ifndef THAW_DATA_INFLATION_H
#define THAW_DATA_INFLATION_H

#include <thaw/context.h>
#include <zlib.h>

/* The most bytes that so many deflated ones unpack to. */
uint64_t thaw_inflation_most(uint64_t packed);

/* Begins to inflate; inflateEnd ends it. `window_bits` says what surrounds the data, as in inflateInit2. Errors:
   THAW_OUT_OF_MEMORY. */
thaw_status thaw_inflation_begin(thaw_context *context, const char *name, int window_bits, z_stream *stream);

/* Reports that there was no memory to unpack `name`. */
thaw_status thaw_inflation_starved(thaw_context *context, const char *name);

#endif
