#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/bfloat16.h"
#include "kernels/winograd_weights.h"
#include "onednn/convolution.h"
#include "support/support.h"

/* An image [batch, input, channels], and what its convolution gives. */
typedef struct shape {
    int64_t batch, channels, filters, input[2];
    int64_t before[2], after[2]; /* padding */
} shape;

static thaw_convolution problem_of(const shape *s, bool bias)
{
    thaw_convolution problem = {
        .batch = s->batch,
        .groups = 1,
        .input_channels = s->channels,
        .output_channels = s->filters,
        .bias = bias,
        .training = true,
    };
    for (int i = 0; i < 2; i++) {
        problem.input[i] = s->input[i];
        problem.kernel[i] = 3;
        problem.stride[i] = problem.dilation[i] = 1;
        problem.padding_before[i] = s->before[i];
        problem.padding_after[i] = s->after[i];
        problem.output[i] = s->input[i] + s->before[i] + s->after[i] - 2;
    }
    return problem;
}

/* Arrays of exactly the size that each must have, so that the sanitizers see what reaches beyond. */
typedef struct arrays {
    size_t images, maps, weights;
    float *source, *gradient;
    float *weight_gradient, *bias_gradient;
} arrays;

static float *filled(size_t count, uint32_t seed)
{
    float *values = malloc(count * sizeof *values);
    support_fill(values, count, seed);
    return values;
}

static arrays make_arrays(const thaw_convolution *c)
{
    arrays a = {
        .images = (size_t)(c->batch * c->input[0] * c->input[1] * c->input_channels),
        .maps = (size_t)(c->batch * c->output[0] * c->output[1] * c->output_channels),
        .weights = (size_t)(9 * c->input_channels * c->output_channels),
    };
    a.source = filled(a.images, 1);
    a.gradient = filled(a.maps, 2);
    a.weight_gradient = filled(a.weights, 3);
    a.bias_gradient = filled((size_t)c->output_channels, 4);
    return a;
}

static void free_arrays(arrays *a)
{
    free(a->source);
    free(a->gradient);
    free(a->weight_gradient);
    free(a->bias_gradient);
}

/* By the definition: the sum of products, and in `size` that of their magnitudes. */
static double weight_gradient(const thaw_convolution *c, const arrays *a, int64_t filter, int64_t channel, int64_t tap,
                              double *size)
{
    double sum = 0;
    *size = 0;
    for (int64_t n = 0; n < c->batch; n++)
        for (int64_t y = 0; y < c->output[0]; y++)
            for (int64_t x = 0; x < c->output[1]; x++) {
                const int64_t row = y + tap / 3 - c->padding_before[0], column = x + tap % 3 - c->padding_before[1];
                if (row < 0 || row >= c->input[0] || column < 0 || column >= c->input[1])
                    continue;
                const int64_t from = ((n * c->input[0] + row) * c->input[1] + column) * c->input_channels + channel;
                const int64_t to = ((n * c->output[0] + y) * c->output[1] + x) * c->output_channels + filter;
                const double product = (double)a->source[from] * (double)a->gradient[to];
                sum += product;
                *size += fabs(product);
            }
    return sum;
}

/* The transforms round numbers many times as large as the products. */
static const double tolerance = 5e-6;

static void compare_weights(const thaw_convolution *c, const arrays *a)
{
    for (int64_t filter = 0; filter < c->output_channels; filter++)
        for (int64_t channel = 0; channel < c->input_channels; channel++)
            for (int64_t tap = 0; tap < 9; tap++) {
                double size;
                const double expected = weight_gradient(c, a, filter, channel, tap, &size);
                const double found = (double)a->weight_gradient[(filter * c->input_channels + channel) * 9 + tap];
                cr_assert(fabs(found - expected) <= tolerance * (size + 1),
                          "filter %d, channel %d, tap %d: found %.9g, wanted %.9g", (int)filter, (int)channel, (int)tap,
                          found, expected);
            }
}

static void compare_bias(const thaw_convolution *c, const arrays *a)
{
    const size_t filters = (size_t)c->output_channels;
    for (size_t filter = 0; filter < filters; filter++) {
        double sum = 0;
        for (size_t i = filter; i < a->maps; i += filters)
            sum += (double)a->gradient[i];
        const double found = (double)a->bias_gradient[filter];
        cr_assert(fabs(found - sum) <= 1e-5 * (1 + fabs(sum)), "filter %zu: found %.9g, wanted %.9g", filter, found,
                  sum);
    }
}

static void run(thaw_context *context, thaw_kernel *kernel, const void *source, const void *gradient, const arrays *a)
{
    /* NaN, which would spread if what was not written were read. */
    const size_t bytes = thaw_kernel_scratch_bytes(kernel);
    void *scratch = aligned_alloc(64, (bytes + 63) / 64 * 64);
    memset(scratch, 0xFF, bytes);
    const thaw_binding bindings[] = {
        { THAW_ARGUMENT_SOURCE, source },
        { THAW_ARGUMENT_DESTINATION_GRADIENT, gradient },
        { THAW_ARGUMENT_WEIGHTS_GRADIENT, a->weight_gradient },
        { THAW_ARGUMENT_BIAS_GRADIENT, a->bias_gradient },
    };
    assert_ok(context, thaw_kernel_run(kernel, bindings, THAW_COUNT(bindings), scratch));
    free(scratch);
}

static void compute(const thaw_convolution *problem, int threads, const arrays *a)
{
    thaw_context *context = support_context(threads);
    thaw_kernel *kernel;
    assert_ok(context, thaw_winograd_weights_create(context, problem, &kernel));
    cr_assert_eq(thaw_kernel_bytes(kernel, THAW_ARGUMENT_WEIGHTS_GRADIENT), a->weights * sizeof(float));
    run(context, kernel, a->source, a->gradient, a);
    thaw_kernel_release(context, kernel);
    thaw_context_destroy(context);
}

static void check(const shape *s, bool bias, int threads)
{
    const thaw_convolution problem = problem_of(s, bias);
    arrays a = make_arrays(&problem);
    const float untouched = a.bias_gradient[0];
    compute(&problem, threads, &a);
    compare_weights(&problem, &a);
    if (bias)
        compare_bias(&problem, &a);
    else
        cr_assert(a.bias_gradient[0] == untouched);
    free_arrays(&a);
}

/* Borders of all kinds, sizes that are no multiple of a tile, channels that are none of a panel. */
Test(winograd_weights, equal_the_sum_of_products)
{
    static const shape shapes[] = {
        { 1, 1, 1, { 3, 3 }, { 0, 0 }, { 0, 0 } },    { 2, 3, 5, { 1, 1 }, { 1, 1 }, { 1, 1 } },
        { 1, 16, 16, { 5, 7 }, { 1, 1 }, { 1, 1 } },  { 3, 32, 33, { 4, 4 }, { 1, 1 }, { 1, 1 } },
        { 2, 31, 7, { 9, 6 }, { 0, 0 }, { 0, 0 } },   { 2, 40, 24, { 8, 5 }, { 0, 2 }, { 1, 0 } },
        { 1, 17, 70, { 7, 12 }, { 2, 1 }, { 2, 0 } }, { 1, 8, 8, { 2, 30 }, { 1, 4 }, { 1, 3 } },
    };
    for (size_t i = 0; i < THAW_COUNT(shapes); i++)
        for (int threads = 1; threads <= 3; threads++)
            check(&shapes[i], i % 2 == 0, threads);
}

/* More tiles than are transformed at a time. */
Test(winograd_weights, add_up_over_rounds)
{
    check(&(shape){ 3, 6, 9, { 41, 38 }, { 1, 1 }, { 1, 1 } }, true, 1);
    check(&(shape){ 3, 6, 9, { 41, 38 }, { 1, 1 }, { 1, 1 } }, true, 2);
}

/* Few tiles and many channels, whose sums are not kept. */
Test(winograd_weights, are_finished_by_blocks)
{
    check(&(shape){ 1, 290, 170, { 4, 3 }, { 1, 1 }, { 1, 1 } }, true, 1);
    check(&(shape){ 1, 230, 331, { 3, 4 }, { 1, 1 }, { 1, 1 } }, true, 2);
}

static void assert_threads_agree(const shape *s)
{
    const thaw_convolution problem = problem_of(s, true);
    arrays a = make_arrays(&problem);
    compute(&problem, 1, &a);
    for (int threads = 2; threads <= 5; threads++) {
        arrays b = make_arrays(&problem);
        compute(&problem, threads, &b);
        cr_assert_arr_eq(a.weight_gradient, b.weight_gradient, a.weights * sizeof(float));
        cr_assert_arr_eq(a.bias_gradient, b.bias_gradient, (size_t)s->filters * sizeof(float));
        free_arrays(&b);
    }
    free_arrays(&a);
}

Test(winograd_weights, are_the_same_for_any_thread_count)
{
    assert_threads_agree(&(shape){ 5, 40, 35, { 33, 21 }, { 1, 1 }, { 1, 1 } });
    assert_threads_agree(&(shape){ 1, 288, 160, { 8, 9 }, { 1, 1 }, { 1, 1 } });
}

/* The products are computed in floats, of numbers that bfloat16 holds. */
Test(winograd_weights, read_bfloat16)
{
    thaw_convolution problem = problem_of(&(shape){ 2, 37, 20, { 10, 7 }, { 1, 1 }, { 1, 1 } }, true);
    problem.precision = THAW_BF16;
    arrays a = make_arrays(&problem);
    thaw_bfloat16 *source = malloc(a.images * sizeof *source), *gradient = malloc(a.maps * sizeof *gradient);
    for (size_t i = 0; i < a.images; i++)
        a.source[i] = thaw_bfloat16_widen(source[i] = thaw_bfloat16_round(a.source[i]));
    for (size_t i = 0; i < a.maps; i++)
        a.gradient[i] = thaw_bfloat16_widen(gradient[i] = thaw_bfloat16_round(a.gradient[i]));
    thaw_context *context = support_context(2);
    thaw_kernel *kernel;
    assert_ok(context, thaw_winograd_weights_create(context, &problem, &kernel));
    run(context, kernel, source, gradient, &a);
    compare_weights(&problem, &a);
    compare_bias(&problem, &a);
    thaw_kernel_release(context, kernel);
    thaw_context_destroy(context);
    free(source);
    free(gradient);
    free_arrays(&a);
}
