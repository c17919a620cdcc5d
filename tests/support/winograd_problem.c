#include "support/winograd_problem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/cpu.h"
#include "core/threads.h"
#include "support/support.h"

/* One pixel, borders through the middle of tiles, paddings unlike each other, channels that fill no vector or panel,
   more tiles than a block. */
const winograd_shape winograd_shapes[] = {
    { 1, 1, 1, { 1, 1 }, { 1, 1 }, { 1, 1 } },      { 1, 3, 5, { 3, 3 }, { 0, 0 }, { 0, 0 } },
    { 2, 17, 33, { 5, 7 }, { 1, 1 }, { 1, 1 } },    { 3, 32, 64, { 7, 7 }, { 1, 1 }, { 1, 1 } },
    { 2, 40, 31, { 6, 4 }, { 0, 1 }, { 1, 0 } },    { 1, 20, 100, { 4, 9 }, { 2, 0 }, { 0, 2 } },
    { 2, 16, 32, { 8, 8 }, { 0, 0 }, { 0, 0 } },    { 2, 8, 40, { 3, 5 }, { 3, 4 }, { 2, 3 } },
    { 16, 33, 70, { 13, 12 }, { 1, 1 }, { 1, 1 } },
};

thaw_convolution winograd_problem_of(const winograd_shape *s)
{
    thaw_convolution p = {
        .batch = s->batch,
        .groups = 1,
        .input_channels = s->channels,
        .output_channels = s->filters,
        .training = true,
    };
    for (int i = 0; i < 2; i++) {
        p.input[i] = s->size[i];
        p.kernel[i] = 3;
        p.stride[i] = p.dilation[i] = 1;
        p.padding_before[i] = s->before[i];
        p.padding_after[i] = s->after[i];
        p.output[i] = s->size[i] + s->before[i] + s->after[i] - 2;
    }
    return p;
}

size_t winograd_input_count(const thaw_convolution *p)
{
    return (size_t)(p->batch * p->input[0] * p->input[1] * p->input_channels);
}

size_t winograd_output_count(const thaw_convolution *p)
{
    return (size_t)(p->batch * p->output[0] * p->output[1] * p->output_channels);
}

size_t winograd_weight_count(const thaw_convolution *p)
{
    return (size_t)(p->output_channels * p->input_channels * 9);
}

void *winograd_room(size_t bytes)
{
    void *memory = aligned_alloc(64, (bytes + 64) / 64 * 64);
    cr_assert(memory);
    return memset(memory, 0xFF, (bytes + 64) / 64 * 64); /* NaN */
}

float *winograd_random_values(size_t count, uint32_t seed)
{
    float *values = winograd_room(count * sizeof *values);
    support_fill(values, count, seed);
    return values;
}

/* Adds the products of one input pixel and one tap: to `map` of `image`, or, rotated, to `image` of `map`. */
static void add_products(const thaw_convolution *p, size_t at, size_t from, int64_t tap, const float *weight,
                         const float *values, double *sums, bool back)
{
    for (int64_t k = 0; k < p->output_channels; k++)
        for (int64_t c = 0; c < p->input_channels; c++) {
            const size_t map = at * (size_t)p->output_channels + (size_t)k;
            const size_t image = from * (size_t)p->input_channels + (size_t)c;
            const double w = (double)weight[(k * p->input_channels + c) * 9 + tap];
            sums[back ? image : map] += w * (double)values[back ? map : image];
        }
}

double *winograd_define(const thaw_convolution *p, const float *weight, const float *values, bool back)
{
    double *sums = calloc(back ? winograd_input_count(p) : winograd_output_count(p), sizeof *sums);
    cr_assert(sums);
    for (int64_t n = 0; n < p->batch; n++)
        for (int64_t at = 0; at < p->output[0] * p->output[1]; at++)
            for (int64_t tap = 0; tap < 9; tap++) {
                const int64_t row = at / p->output[1] + tap / 3 - p->padding_before[0];
                const int64_t column = at % p->output[1] + tap % 3 - p->padding_before[1];
                if (row < 0 || row >= p->input[0] || column < 0 || column >= p->input[1])
                    continue;
                add_products(p, (size_t)(n * p->output[0] * p->output[1] + at),
                             (size_t)((n * p->input[0] + row) * p->input[1] + column), tap, weight, values, sums, back);
            }
    return sums;
}

/* What comes after the sums: bias, residual, activation. */
void winograd_finish(const thaw_convolution *p, double *sums, const float *bias, const float *residual)
{
    for (size_t i = 0; i < winograd_output_count(p); i++) {
        sums[i] += p->bias ? (double)bias[i % (size_t)p->output_channels] : 0;
        sums[i] += p->after.residual ? (double)residual[i] : 0;
        if (p->after.activation != THAW_ACTIVATION_NONE)
            sums[i] = fmax(sums[i], 0);
        if (p->after.activation == THAW_ACTIVATION_RELU6)
            sums[i] = fmin(sums[i], 6);
    }
}

/* Packs and runs; what the kernel writes beyond its memory, sanitizers see. */
void winograd_run(thaw_context *context, thaw_kernel *kernel, thaw_kernel *pack, const float *weight,
                  thaw_argument source, const void *values, const float *bias, const void *residual,
                  thaw_argument destination, void *result)
{
    float *packed = winograd_room(thaw_kernel_bytes(kernel, THAW_ARGUMENT_WEIGHTS));
    void *scratch = winograd_room(thaw_kernel_scratch_bytes(kernel));
    const thaw_binding packing[] = { { THAW_ARGUMENT_SOURCE, weight }, { THAW_ARGUMENT_DESTINATION, packed } };
    const thaw_binding bindings[] = {
        { source, values },           { THAW_ARGUMENT_WEIGHTS, packed },
        { THAW_ARGUMENT_BIAS, bias }, { THAW_ARGUMENT_RESIDUAL, residual },
        { destination, result },
    };
    const thaw_thread_scope scope = thaw_threads_enter(context);
    assert_ok(context, thaw_kernel_run(pack, packing, THAW_COUNT(packing), NULL));
    assert_ok(context, thaw_kernel_run(kernel, bindings, THAW_COUNT(bindings), scratch));
    thaw_threads_leave(scope);
    free(packed);
    free(scratch);
}
