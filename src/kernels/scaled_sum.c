#include "kernels/scaled_sum.h"

enum { GRAIN = 4096 };

typedef struct sum {
    float *into;
    const float *from, *term;
    float factor;
} sum;

/* Separate loops tell the compiler which arrays are the same, and that the others do not overlap. */

static void add(float *restrict into, const float *restrict term, float factor, size_t count)
{
    for (size_t i = 0; i < count; i++)
        into[i] += factor * term[i];
}

static void scale(float *restrict into, const float *restrict term, float factor, size_t count)
{
    for (size_t i = 0; i < count; i++)
        into[i] = factor * term[i];
}

static void scale_in_place(float *into, float factor, size_t count)
{
    for (size_t i = 0; i < count; i++)
        into[i] *= factor;
}

static void scale_and_add(float *restrict into, const float *restrict from, float factor, size_t count)
{
    for (size_t i = 0; i < count; i++)
        into[i] = from[i] + factor * into[i];
}

static void sum_range(void *argument, size_t begin, size_t end)
{
    const sum *s = argument;
    const size_t count = end - begin;
    if (s->from == s->into)
        add(s->into + begin, s->term + begin, s->factor, count);
    else if (s->from)
        scale_and_add(s->into + begin, s->from + begin, s->factor, count);
    else if (s->term == s->into)
        scale_in_place(s->into + begin, s->factor, count);
    else
        scale(s->into + begin, s->term + begin, s->factor, count);
}

void thaw_scaled_sum(thaw_context *context, float *into, const float *from, float factor, const float *term,
                     size_t count)
{
    thaw_parallel_for(context, count, GRAIN, sum_range, &(sum){ into, from, term, factor });
}
