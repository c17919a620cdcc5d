#include "layers/batch_sum.h"

#include "kernels/bfloat16.h"

enum { BLOCK = 256 };

typedef struct job {
    thaw_dtype precision;
    const void *values;
    size_t samples, stride, count;
    float *sums;
} job;

static void add_floats(const float *values, size_t count, double *restrict sums)
{
    for (size_t i = 0; i < count; i++)
        sums[i] += (double)values[i];
}

static void add_bfloats(const thaw_bfloat16 *values, size_t count, double *restrict sums)
{
    for (size_t i = 0; i < count; i++)
        sums[i] += (double)thaw_bfloat16_widen(values[i]);
}

static void sum_blocks(void *argument, size_t begin, size_t end)
{
    const job *j = argument;
    for (size_t first = begin * BLOCK; first < j->count && first < end * BLOCK; first += BLOCK) {
        const size_t count = j->count - first < BLOCK ? j->count - first : BLOCK;
        double sums[BLOCK] = { 0 };
        for (size_t n = 0; n < j->samples; n++) {
            const size_t at = n * j->stride + first;
            if (j->precision == THAW_F32)
                add_floats((const float *)j->values + at, count, sums);
            else
                add_bfloats((const thaw_bfloat16 *)j->values + at, count, sums);
        }
        for (size_t i = 0; i < count; i++)
            j->sums[first + i] = (float)sums[i];
    }
}

void thaw_batch_sum(thaw_context *context, thaw_dtype precision, const void *values, size_t samples, size_t stride,
                    size_t count, float *sums)
{
    job j = { precision, values, samples, stride, count, sums };
    const size_t grain = 64 / samples + 1;
    thaw_parallel_for(context, (count + BLOCK - 1) / BLOCK, grain, sum_blocks, &j);
}
