#include "core/allocation.h"

#include <string.h>

#include "core/context.h"

/* Precedes each block, in a cache line of its own: the host's allocator needs the size back when it frees. */
typedef struct header {
    size_t bytes;
} header;

void *thaw_allocate_quietly(thaw_context *context, size_t bytes)
{
    size_t whole;
    header *block = NULL;
    if (!__builtin_add_overflow(bytes, (size_t)THAW_ALIGNMENT, &whole))
        block = context->allocator.allocate(context->allocator.user, whole, THAW_ALIGNMENT);
    if (!block)
        return NULL;
    block->bytes = whole;
    return (char *)block + THAW_ALIGNMENT;
}

void *thaw_allocate_raw(thaw_context *context, size_t bytes)
{
    void *memory = thaw_allocate_quietly(context, bytes);
    if (!memory)
        thaw_fail(context, THAW_OUT_OF_MEMORY, "no memory for %zu bytes", bytes);
    return memory;
}

void *thaw_allocate(thaw_context *context, size_t bytes)
{
    void *memory = thaw_allocate_raw(context, bytes);
    return memory ? memset(memory, 0, bytes) : NULL;
}

void *thaw_allocate_array(thaw_context *context, size_t count, size_t element_bytes)
{
    size_t bytes;
    if (!thaw_multiply_sizes(count, element_bytes, &bytes)) {
        thaw_fail(context, THAW_OUT_OF_MEMORY, "%zu elements of %zu bytes overflow a size", count, element_bytes);
        return NULL;
    }
    return thaw_allocate(context, bytes);
}

void thaw_release(thaw_context *context, void *memory)
{
    if (!memory)
        return;
    header *block = (header *)(void *)((char *)memory - THAW_ALIGNMENT);
    context->allocator.release(context->allocator.user, block, block->bytes);
}

void *thaw_grow(thaw_context *context, void *array, size_t *capacity, size_t needed, size_t element_bytes)
{
    if (needed <= *capacity)
        return array;
    size_t wider = *capacity ? *capacity : 8;
    while (wider < needed)
        wider *= 2;
    void *grown = thaw_allocate_array(context, wider, element_bytes);
    if (!grown)
        return NULL;
    if (array)
        memcpy(grown, array, *capacity * element_bytes);
    thaw_release(context, array);
    *capacity = wider;
    return grown;
}

bool thaw_grow_quietly(thaw_context *context, void **array, size_t *capacity, size_t needed, size_t element_bytes)
{
    size_t wider = *capacity ? *capacity : 8, bytes;
    if (needed <= *capacity)
        return true;
    while (wider < needed)
        if (!thaw_multiply_sizes(wider, 2, &wider))
            return false;
    void *grown = thaw_multiply_sizes(wider, element_bytes, &bytes) ? thaw_allocate_quietly(context, bytes) : NULL;
    if (!grown)
        return false;
    if (*array)
        memcpy(grown, *array, *capacity * element_bytes);
    thaw_release(context, *array);
    *array = grown;
    *capacity = wider;
    return true;
}

char *thaw_copy_text(thaw_context *context, const char *text)
{
    const size_t bytes = strlen(text) + 1;
    char *copy = thaw_allocate_raw(context, bytes);
    return copy ? memcpy(copy, text, bytes) : NULL;
}
