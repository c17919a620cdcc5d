#include "kernels/bfloat16_loops.h"

#include "kernels/bfloat16.h"

static void widen(float *restrict into, const thaw_bfloat16 *restrict from, size_t count)
{
    for (size_t i = 0; i < count; i++)
        into[i] = thaw_bfloat16_widen(from[i]);
}

static void round_all(thaw_bfloat16 *restrict into, const float *restrict from, size_t count)
{
    for (size_t i = 0; i < count; i++)
        into[i] = thaw_bfloat16_round(from[i]);
}

static void widen_and_add(float *restrict into, const thaw_bfloat16 *restrict term, size_t count)
{
    for (size_t i = 0; i < count; i++)
        into[i] += thaw_bfloat16_widen(term[i]);
}

static void add_and_round(thaw_bfloat16 *restrict into, const float *restrict term, size_t count)
{
    for (size_t i = 0; i < count; i++)
        into[i] = thaw_bfloat16_round(thaw_bfloat16_widen(into[i]) + term[i]);
}

static void add(thaw_bfloat16 *restrict into, const thaw_bfloat16 *restrict term, size_t count)
{
    for (size_t i = 0; i < count; i++)
        into[i] = thaw_bfloat16_round(thaw_bfloat16_widen(into[i]) + thaw_bfloat16_widen(term[i]));
}

/* The name is one of bfloat16_loops.h, by the build's -D. */
const thaw_bfloat16_functions thaw_bfloat16_loops = { widen, round_all, widen_and_add, add_and_round, add };
