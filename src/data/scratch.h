/* Reusable memory of one thread. It grows as needed. */
#ifndef THAW_DATA_SCRATCH_H
#define THAW_DATA_SCRATCH_H

#include <thaw/context.h>

/* Starts as zero, except the context. */
typedef struct thaw_scratch {
    thaw_context *context;
    void *memory;
    size_t capacity;
} thaw_scratch;

/* At least `bytes` bytes, whose content is undefined; NULL, without a message, if there is no memory. */
void *thaw_scratch_reserve(thaw_scratch *scratch, size_t bytes);

/* Frees the memory if it is larger than this. */
void thaw_scratch_trim(thaw_scratch *scratch, size_t most_bytes);

#endif
