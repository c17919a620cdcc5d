/* Memory from the context's allocator. Thread-safe if that allocator is (thaw/context.h requires it). */
#ifndef THAW_CORE_ALLOCATION_H
#define THAW_CORE_ALLOCATION_H

#include <thaw/runtime.h>

/* Uncleared memory, for large buffers whose pages should first be touched by the thread that uses them. */
void *thaw_allocate_raw(thaw_context *context, size_t bytes);

/* The same without a message, for threads that must not touch the context's message. */
void *thaw_allocate_quietly(thaw_context *context, size_t bytes);

/* Makes room for `needed` elements in an array that grows by doubling (NULL: none yet); *capacity is in elements.
   Returns the array, which may have moved. On failure returns NULL with the message set, and the old array is
   unchanged. */
void *thaw_grow(thaw_context *context, void *array, size_t *capacity, size_t needed, size_t element_bytes);

/* The same with uncleared memory and without a message, for threads that must not touch the context's message. Returns
   false if there is no memory. */
bool thaw_grow_quietly(thaw_context *context, void **array, size_t *capacity, size_t needed, size_t element_bytes);

char *thaw_copy_text(thaw_context *context, const char *text);

static inline bool thaw_multiply_sizes(size_t left, size_t right, size_t *product)
{
    return !__builtin_mul_overflow(left, right, product);
}

#endif
