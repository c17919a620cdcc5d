#include "data/scratch.h"

#include "core/allocation.h"

void *thaw_scratch_reserve(thaw_scratch *scratch, size_t bytes)
{
    if (bytes <= scratch->capacity)
        return scratch->memory;
    thaw_scratch_trim(scratch, 0);
    scratch->memory = thaw_allocate_quietly(scratch->context, bytes);
    scratch->capacity = scratch->memory ? bytes : 0;
    return scratch->memory;
}

void thaw_scratch_trim(thaw_scratch *scratch, size_t most_bytes)
{
    if (scratch->capacity <= most_bytes)
        return;
    thaw_release(scratch->context, scratch->memory);
    scratch->memory = NULL;
    scratch->capacity = 0;
}
