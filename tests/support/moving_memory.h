/* An allocator whose blocks lie elsewhere in each layout: at other offsets in a page, and in 2 MiB. */
#ifndef THAW_TESTS_SUPPORT_MOVING_MEMORY_H
#define THAW_TESTS_SUPPORT_MOVING_MEMORY_H

#include <thaw/context.h>

typedef struct moving_memory {
    uint64_t random; /* where the next block lies; other seeds give other layouts */
    int filling;     /* of each byte of new blocks */
    size_t live;     /* blocks that were not released */
} moving_memory;

/* Blocks begin at any multiple of the alignment that is asked for, up to 4096. The allocator is thread-safe. */
thaw_allocator moving_allocator(moving_memory *memory);

#endif
