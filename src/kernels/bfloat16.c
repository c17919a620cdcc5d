#include "kernels/bfloat16.h"

#include "core/context.h"
#include "kernels/bfloat16_loops.h"
#include "kernels/scaled_sum.h"

enum { GRAIN = 16384 };

typedef struct pass {
    const thaw_bfloat16_functions *loops;
    thaw_values into, from;
} pass;

static void convert_range(void *argument, size_t begin, size_t end)
{
    const pass *p = argument;
    const size_t count = end - begin;
    if (p->into.dtype == p->from.dtype) {
        const size_t bytes = thaw_dtype_bytes(p->into.dtype);
        memcpy((char *)p->into.data + begin * bytes, (const char *)p->from.data + begin * bytes, count * bytes);
    } else if (p->into.dtype == THAW_BF16) {
        p->loops->round((thaw_bfloat16 *)p->into.data + begin, (const float *)p->from.data + begin, count);
    } else {
        p->loops->widen((float *)p->into.data + begin, (const thaw_bfloat16 *)p->from.data + begin, count);
    }
}

void thaw_values_convert(thaw_context *context, thaw_values into, thaw_values from, size_t count)
{
    thaw_parallel_for(context, count, GRAIN, convert_range,
                      &(pass){ THAW_FOR_LEVEL(context->level, &thaw_bfloat16_loops), into, from });
}

void thaw_values_copy(thaw_context *context, thaw_dtype dtype, void *into, const void *from, size_t count)
{
    thaw_values_convert(context, (thaw_values){ into, dtype }, (thaw_values){ (void *)(uintptr_t)from, dtype }, count);
}

static void add_range(void *argument, size_t begin, size_t end)
{
    const pass *p = argument;
    const size_t count = end - begin;
    const bool wide_term = p->from.dtype == THAW_F32;
    if (p->into.dtype == THAW_F32)
        p->loops->widen_and_add((float *)p->into.data + begin, (const thaw_bfloat16 *)p->from.data + begin, count);
    else if (wide_term)
        p->loops->add_and_round((thaw_bfloat16 *)p->into.data + begin, (const float *)p->from.data + begin, count);
    else
        p->loops->add((thaw_bfloat16 *)p->into.data + begin, (const thaw_bfloat16 *)p->from.data + begin, count);
}

void thaw_values_add(thaw_context *context, thaw_values into, thaw_values term, size_t count)
{
    if (into.dtype == THAW_F32 && term.dtype == THAW_F32)
        thaw_scaled_sum(context, into.data, into.data, 1, term.data, count);
    else
        thaw_parallel_for(context, count, GRAIN, add_range,
                          &(pass){ THAW_FOR_LEVEL(context->level, &thaw_bfloat16_loops), into, term });
}
