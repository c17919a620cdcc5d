/* Winograd's convolution against the definition in doubles: kernels, and its transforms at each level of instructions
   that this CPU has. */
#include "dnn/winograd.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/cpu.h"
#include "core/strip_product.h"
#include "core/threads.h"
#include "dnn/winograd_loops.h"
#include "support/support.h"

typedef struct shape {
    int64_t batch, channels, filters, size[2], before[2], after[2];
} shape;

/* One pixel, borders through the middle of tiles, paddings unlike each other, channels that fill no vector or strip,
   more tiles than a block. */
static const shape shapes[] = {
    { 1, 1, 1, { 1, 1 }, { 1, 1 }, { 1, 1 } },      { 1, 3, 5, { 3, 3 }, { 0, 0 }, { 0, 0 } },
    { 2, 17, 33, { 5, 7 }, { 1, 1 }, { 1, 1 } },    { 3, 32, 64, { 7, 7 }, { 1, 1 }, { 1, 1 } },
    { 2, 40, 31, { 6, 4 }, { 0, 1 }, { 1, 0 } },    { 1, 20, 100, { 4, 9 }, { 2, 0 }, { 0, 2 } },
    { 2, 16, 32, { 8, 8 }, { 0, 0 }, { 0, 0 } },    { 2, 8, 40, { 3, 5 }, { 3, 4 }, { 2, 3 } },
    { 16, 33, 70, { 13, 12 }, { 1, 1 }, { 1, 1 } },
};

static thaw_convolution problem_of(const shape *s)
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

static size_t input_count(const thaw_convolution *p)
{
    return (size_t)(p->batch * p->input[0] * p->input[1] * p->input_channels);
}

static size_t output_count(const thaw_convolution *p)
{
    return (size_t)(p->batch * p->output[0] * p->output[1] * p->output_channels);
}

static size_t weight_count(const thaw_convolution *p)
{
    return (size_t)(p->output_channels * p->input_channels * 9);
}

static void *room(size_t bytes)
{
    void *memory = aligned_alloc(64, (bytes + 64) / 64 * 64);
    cr_assert(memory);
    return memset(memory, 0xFF, (bytes + 64) / 64 * 64); /* NaN */
}

static float *random_values(size_t count, uint32_t seed)
{
    float *values = room(count * sizeof *values);
    support_fill(values, count, seed);
    return values;
}

/* Adds the products of one input pixel and one tap: to `map` of `image`, or, turned round, to `image` of `map`. */
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

static double *define(const thaw_convolution *p, const float *weight, const float *values, bool back)
{
    double *sums = calloc(back ? input_count(p) : output_count(p), sizeof *sums);
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

/* Within 1e-5 of the largest. */
static void expect(const float *found, const double *wanted, size_t count, const char *what)
{
    double largest = 0;
    for (size_t i = 0; i < count; i++)
        largest = fmax(largest, fabs(wanted[i]));
    for (size_t i = 0; i < count; i++)
        cr_assert(fabs((double)found[i] - wanted[i]) <= 1e-5 * fmax(largest, 1), "%s: element %zu of %zu is %g, not %g",
                  what, i, count, (double)found[i], wanted[i]);
}

/* Packs and runs; what the kernel writes beyond its memory, sanitizers see. */
static void run(thaw_context *context, thaw_kernel *kernel, thaw_kernel *pack, const float *weight,
                thaw_argument source, const float *values, const float *bias, const float *residual,
                thaw_argument destination, float *result)
{
    float *packed = room(thaw_kernel_bytes(kernel, THAW_ARGUMENT_WEIGHTS));
    void *scratch = room(thaw_kernel_scratch_bytes(kernel));
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

/* A new array. */
static float *forward(const thaw_convolution *p, int threads, const float *weight, const float *image,
                      const float *bias, const float *residual)
{
    thaw_context *context = support_context(threads);
    thaw_kernel *kernel, *pack;
    float *map = room(output_count(p) * sizeof *map);
    assert_ok(context, thaw_winograd_forward(context, p, &kernel, &pack));
    cr_assert_str_eq(thaw_kernel_name(kernel), "winograd 2x2");
    if (p->after.residual == THAW_RESIDUAL_IN_PLACE)
        memcpy(map, residual, output_count(p) * sizeof *map);
    run(context, kernel, pack, weight, THAW_ARGUMENT_SOURCE, image, bias, residual, THAW_ARGUMENT_DESTINATION, map);
    thaw_kernel_release(context, kernel);
    thaw_kernel_release(context, pack);
    thaw_context_destroy(context);
    return map;
}

static float *backward(const thaw_convolution *p, int threads, const float *weight, const float *gradient)
{
    thaw_context *context = support_context(threads);
    thaw_kernel *kernel, *pack;
    float *image = room(input_count(p) * sizeof *image);
    assert_ok(context, thaw_winograd_backward_data(context, p, &kernel, &pack));
    run(context, kernel, pack, weight, THAW_ARGUMENT_DESTINATION_GRADIENT, gradient, NULL, NULL,
        THAW_ARGUMENT_SOURCE_GRADIENT, image);
    thaw_kernel_release(context, kernel);
    thaw_kernel_release(context, pack);
    thaw_context_destroy(context);
    return image;
}

/* What comes after the sums: bias, residual, activation. */
static void finish(const thaw_convolution *p, double *sums, const float *bias, const float *residual)
{
    for (size_t i = 0; i < output_count(p); i++) {
        sums[i] += p->bias ? (double)bias[i % (size_t)p->output_channels] : 0;
        sums[i] += p->after.residual ? (double)residual[i] : 0;
        if (p->after.activation != THAW_ACTIVATION_NONE)
            sums[i] = fmax(sums[i], 0);
        if (p->after.activation == THAW_ACTIVATION_RELU6)
            sums[i] = fmin(sums[i], 6);
    }
}

Test(winograd, is_a_convolution_with_what_comes_after)
{
    for (size_t i = 0; i < THAW_COUNT(shapes); i++)
        for (int mode = 0; mode < 18; mode++) {
            thaw_convolution p = problem_of(&shapes[i]);
            p.bias = mode % 2;
            p.after.residual = (thaw_residual)(mode / 2 % 3);
            p.after.activation = (thaw_activation)(mode / 6);
            float *weight = random_values(weight_count(&p), 1), *image = random_values(input_count(&p), 2);
            float *bias = random_values((size_t)p.output_channels, 3), *residual = random_values(output_count(&p), 4);
            double *wanted = define(&p, weight, image, false);
            finish(&p, wanted, bias, residual);
            float *map = forward(&p, mode % 3 + 1, weight, image, bias, residual);
            expect(map, wanted, output_count(&p), "map");
            float *const arrays[] = { weight, image, bias, residual, map };
            for (size_t a = 0; a < THAW_COUNT(arrays); a++)
                free(arrays[a]);
            free(wanted);
        }
}

Test(winograd, goes_back_to_the_image)
{
    for (size_t i = 0; i < THAW_COUNT(shapes); i++) {
        const thaw_convolution p = problem_of(&shapes[i]);
        float *weight = random_values(weight_count(&p), 1), *gradient = random_values(output_count(&p), 2);
        double *wanted = define(&p, weight, gradient, true);
        float *image = backward(&p, 2, weight, gradient);
        expect(image, wanted, input_count(&p), "gradient of the image");
        free(weight);
        free(gradient);
        free(wanted);
        free(image);
    }
}

/* To the bit: the last shape's images alone, at any thread count, beside those of the whole batch. */
Test(winograd, computes_an_image_alike_wherever_it_lies)
{
    const thaw_convolution all = problem_of(&shapes[THAW_COUNT(shapes) - 1]);
    thaw_convolution one = all;
    one.batch = 1;
    float *weight = random_values(weight_count(&all), 1), *images = random_values(input_count(&all), 2);
    float *maps = forward(&all, 1, weight, images, NULL, NULL);
    for (int threads = 1; threads <= 7; threads++) {
        const size_t n = (size_t)threads * 2, each = output_count(&one);
        float *map = forward(&one, threads, weight, images + n * input_count(&one), NULL, NULL);
        float *again = forward(&all, threads, weight, images, NULL, NULL);
        cr_assert_eq(memcmp(map, maps + n * each, each * sizeof *map), 0, "image %zu, %d threads", n, threads);
        cr_assert_eq(memcmp(again, maps, output_count(&all) * sizeof *map), 0, "%d threads", threads);
        free(map);
        free(again);
    }
    free(weight);
    free(images);
    free(maps);
}

/* ---- transforms ---- */

static size_t find_levels(const thaw_winograd_functions *levels[3])
{
    levels[0] = &thaw_winograd_loops_baseline;
#ifdef __x86_64__
    levels[1] = &thaw_winograd_loops_v3;
    levels[2] = &thaw_winograd_loops_v4;
#endif
    return (size_t)thaw_cpu_detect() + 1;
}

/* The paper's matrices. */
static const double window_matrix[4][4] = { { 1, 0, -1, 0 }, { 0, 1, 1, 0 }, { 0, -1, 1, 0 }, { 0, 1, 0, -1 } };
static const double kernel_matrix[4][3] = { { 1, 0, 0 }, { .5, .5, .5 }, { .5, -.5, .5 }, { 0, 0, 1 } };

Test(winograd, transforms_windows_at_each_level)
{
    enum { CHANNELS = 21, STRIDE = 32 };
    static float pixels[16 * CHANNELS], zeros[CHANNELS];
    static _Alignas(64) float values[16 * STRIDE];
    const thaw_winograd_functions *levels[3];
    const size_t level_count = find_levels(levels);
    const thaw_winograd_image image = { { 4, 4 }, CHANNELS, { 0, 0 }, { 1, 1 }, pixels, zeros };
    support_fill(pixels, THAW_COUNT(pixels), 1);
    for (size_t level = 0; level < level_count; level++) {
        levels[level]->windows(&image, 0, 1, &(thaw_winograd_values){ values, STRIDE, STRIDE });
        for (size_t v = 0; v < 16; v++)
            for (size_t c = 0; c < CHANNELS; c++) {
                double wanted = 0;
                for (size_t i = 0; i < 16; i++)
                    wanted +=
                        window_matrix[v / 4][i / 4] * window_matrix[v % 4][i % 4] * (double)pixels[i * CHANNELS + c];
                cr_assert_float_eq(values[v * STRIDE + c], wanted, 1e-6, "level %zu, value %zu", level, v);
            }
    }
}

Test(winograd, transforms_kernels_at_each_level)
{
    static _Alignas(64) float taps[9 * THAW_STRIP], values[16 * THAW_STRIP];
    const thaw_winograd_functions *levels[3];
    const size_t level_count = find_levels(levels);
    support_fill(taps, THAW_COUNT(taps), 1);
    for (size_t level = 0; level < level_count; level++) {
        levels[level]->kernels(taps, values, THAW_STRIP);
        for (size_t v = 0; v < 16; v++)
            for (size_t u = 0; u < THAW_STRIP; u++) {
                double wanted = 0;
                for (size_t t = 0; t < 9; t++)
                    wanted +=
                        kernel_matrix[v / 4][t / 3] * kernel_matrix[v % 4][t % 3] * (double)taps[t * THAW_STRIP + u];
                cr_assert_float_eq(values[v * THAW_STRIP + u], wanted, 1e-6, "level %zu, value %zu", level, v);
            }
    }
}

static const double tile_matrix[2][4] = { { 1, 1, 1, 0 }, { 0, 1, -1, -1 } };

Test(winograd, transforms_tiles_at_each_level)
{
    enum { CHANNELS = 21 };
    static _Alignas(64) float sums[16 * THAW_STRIP];
    float pixels[4 * CHANNELS];
    const thaw_winograd_functions *levels[3];
    const size_t level_count = find_levels(levels);
    const thaw_winograd_map map = { .size = { 2, 2 }, .channels = CHANNELS, .tiles = { 1, 1 }, .pixels = pixels };
    support_fill(sums, THAW_COUNT(sums), 1);
    for (size_t level = 0; level < level_count; level++) {
        levels[level]->tiles(&map, 0, 1, 0, &(thaw_winograd_values){ sums, THAW_STRIP, THAW_STRIP });
        for (size_t i = 0; i < 4; i++)
            for (size_t c = 0; c < CHANNELS; c++) {
                double wanted = 0;
                for (size_t v = 0; v < 16; v++)
                    wanted += tile_matrix[i / 2][v / 4] * tile_matrix[i % 2][v % 4] * (double)sums[v * THAW_STRIP + c];
                cr_assert_float_eq(pixels[i * CHANNELS + c], wanted, 2e-6, "level %zu, pixel %zu", level, i);
            }
    }
}

/* ---- choice ---- */

Test(winograd, is_chosen_where_it_fits)
{
    const shape fitting = { 16, 64, 64, { 14, 14 }, { 1, 1 }, { 1, 1 } };
    const thaw_convolution good = problem_of(&fitting);
    cr_assert(thaw_winograd_suits_forward(&good) && thaw_winograd_suits_backward_data(&good));
    thaw_convolution other[10];
    for (size_t i = 0; i < THAW_COUNT(other); i++)
        other[i] = good;
    other[0].precision = THAW_BF16;
    other[1].groups = 2;
    other[2].dilation[1] = 2;
    other[3].stride[0] = 2;
    other[4].kernel[1] = 1;
    other[5].primitive = true;
    other[6].batch = 1;      /* too few tiles to train with */
    other[7].output[0] = 99; /* impossible */
    other[8].input_channels = 3;
    other[9].output[1] = other[9].input[1] = 1;
    for (size_t i = 0; i < THAW_COUNT(other); i++)
        cr_assert(!thaw_winograd_suits_forward(&other[i]) && !thaw_winograd_suits_backward_data(&other[i]), "%zu", i);
    other[6].training = false;
    cr_assert(thaw_winograd_suits_forward(&other[6]));
    other[6].after.activation = THAW_ACTIVATION_SILU;
    cr_assert(!thaw_winograd_suits_forward(&other[6]));
}

/* A frozen weight may take so much memory, and less where memory is dear. */
Test(winograd, weighs_memory_where_the_weight_is_frozen)
{
    shape s = { 16, 256, 256, { 14, 14 }, { 1, 1 }, { 1, 1 } };
    thaw_convolution p = problem_of(&s);
    p.thrifty = true;
    cr_assert(thaw_winograd_suits_forward(&p));
    p.training = false;
    cr_assert(!thaw_winograd_suits_forward(&p));
    p.thrifty = false;
    cr_assert(thaw_winograd_suits_forward(&p));
    s.channels = s.filters = 512;
    p = problem_of(&s);
    cr_assert(thaw_winograd_suits_forward(&p));
    p.training = false;
    cr_assert(!thaw_winograd_suits_forward(&p));
}
