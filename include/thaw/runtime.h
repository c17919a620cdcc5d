/* The runtime of modules and of the library itself: memory, errors, threads, random numbers. */
#ifndef THAW_RUNTIME_H
#define THAW_RUNTIME_H

#include <thaw/context.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- memory and errors ---- */

/* Records an error for the user: sets the context's message and returns `status`. */
THAW_API thaw_status thaw_fail(thaw_context *context, thaw_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Zeroed memory from the context's allocator, aligned to 64 bytes. Returns NULL, with the message set, if there is
   none. Thread-safe except for the message. */
THAW_API void *thaw_allocate(thaw_context *context, size_t bytes);

/* The same for `count` elements. Also returns NULL, with the message set, if the product overflows. */
THAW_API void *thaw_allocate_array(thaw_context *context, size_t count, size_t element_bytes);

/* Frees memory of thaw_allocate or thaw_allocate_array. NULL is allowed. */
THAW_API void thaw_release(thaw_context *context, void *memory);

/* The alignment, in bytes, of memory from thaw_allocate and of a layer's packed copies, workspace and scratch. */
enum { THAW_ALIGNMENT = 64 };

/* Rounds `bytes`, at most SIZE_MAX - 63, up to a multiple of THAW_ALIGNMENT: each of several arrays in one block is
   aligned if it begins at such an offset. Thread-safe. */
static inline size_t thaw_align(size_t bytes)
{
    return (bytes + THAW_ALIGNMENT - 1) / THAW_ALIGNMENT * THAW_ALIGNMENT;
}

/* ---- threads ---- */

/* Calls body(argument, begin, end) on the context's threads, with ranges that cover [0, count) exactly once. Ranges
   begin at multiples of `grain`, and depend only on count, grain and thread count. Runs serially if there is less
   than one grain per thread, and inside a parallel region of the host. */
THAW_API void thaw_parallel_for(thaw_context *context, size_t count, size_t grain,
                                void (*body)(void *argument, size_t begin, size_t end), void *argument);

/* ---- random numbers ---- */

/* Identifies a stream of random numbers. Equal streams contain equal numbers, for any thread count. */
typedef struct thaw_stream {
    uint64_t seed;    /* the context's */
    uint32_t purpose; /* user modules: 1000 and above */
    uint32_t node;    /* the layer's */
    uint64_t step;    /* of training */
    uint64_t origin;  /* the stream begins with this number of the one whose origin is 0. For a layer: the element of
                         the whole step's output at which its own output begins, see thaw_step_options.shards */
} thaw_stream;

/* Fills values[0..count) with the stream's 32-bit integers from index `first` on. Fastest where first + origin is a
   multiple of 4.
   Philox4x32-10: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3". Thread-safe, even on one
   context. */
THAW_API void thaw_random_fill(const thaw_context *context, const thaw_stream *stream, uint64_t first, size_t count,
                               uint32_t *values);

#ifdef __cplusplus
}
#endif

#endif
