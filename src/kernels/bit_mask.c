#include "kernels/bit_mask.h"

#include "core/context.h"
#include "kernels/bit_mask_loops.h"

enum { GRAIN = 16384 }; /* whole words */

size_t thaw_bit_mask_bytes(size_t count)
{
    return (count + 31) / 32 * sizeof(uint32_t);
}

typedef struct pass {
    const thaw_bit_mask_functions *loops;
    uint32_t *mask;
    thaw_values into, values;
} pass;

static void mark_range(void *argument, size_t begin, size_t end)
{
    const pass *p = argument;
    uint32_t *mask = p->mask + begin / 32;
    if (p->values.dtype == THAW_BF16)
        p->loops->mark_bfloat16(mask, (const thaw_bfloat16 *)p->values.data + begin, end - begin);
    else
        p->loops->mark(mask, (const float *)p->values.data + begin, end - begin);
}

void thaw_bit_mask_mark(thaw_context *context, uint32_t *mask, thaw_values values, size_t count)
{
    thaw_parallel_for(context, count, GRAIN, mark_range,
                      &(pass){ .loops = THAW_FOR_LEVEL(context->level, &thaw_bit_mask_loops),
                               .mask = mask,
                               .values = values });
}

static void apply_range(void *argument, size_t begin, size_t end)
{
    const pass *p = argument;
    const uint32_t *mask = p->mask + begin / 32;
    if (p->values.dtype == THAW_BF16)
        p->loops->apply_bfloat16((thaw_bfloat16 *)p->into.data + begin, mask,
                                 (const thaw_bfloat16 *)p->values.data + begin, end - begin);
    else
        p->loops->apply((float *)p->into.data + begin, mask, (const float *)p->values.data + begin, end - begin);
}

void thaw_bit_mask_apply(thaw_context *context, thaw_values into, const uint32_t *mask, thaw_values values,
                         size_t count)
{
    thaw_parallel_for(context, count, GRAIN, apply_range,
                      &(pass){ THAW_FOR_LEVEL(context->level, &thaw_bit_mask_loops), (uint32_t *)(uintptr_t)mask, into,
                               values });
}
