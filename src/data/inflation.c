#include "data/inflation.h"

#include <thaw/runtime.h>

/* Deflate makes at most 258 bytes of two bits. */
enum { MOST_FACTOR = 1032 };

uint64_t thaw_inflation_most(uint64_t packed)
{
    uint64_t most;
    return __builtin_mul_overflow(packed, MOST_FACTOR, &most) ? UINT64_MAX : most;
}

static void *allocate(void *context, unsigned count, unsigned bytes)
{
    return thaw_allocate_array(context, count, bytes);
}

static void release(void *context, void *memory)
{
    thaw_release(context, memory);
}

thaw_status thaw_inflation_starved(thaw_context *context, const char *name)
{
    return thaw_fail(context, THAW_OUT_OF_MEMORY, "%s: out of memory to unpack it", name);
}

thaw_status thaw_inflation_begin(thaw_context *context, const char *name, int window_bits, z_stream *stream)
{
    *stream = (z_stream){ .zalloc = allocate, .zfree = release, .opaque = context };
    return inflateInit2(stream, window_bits) == Z_OK ? THAW_OK : thaw_inflation_starved(context, name);
}
