/* Winograd's convolution of bfloat16: to the bit where its numbers are small integers, which the transforms keep
   exactly, and within what rounding in them allows where they are not. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/cpu.h"
#include "kernels/bfloat16.h"
#include "kernels/panel_product.h"
#include "kernels/winograd.h"
#include "kernels/winograd_loops.h"
#include "support/support.h"
#include "support/winograd_problem.h"

static thaw_convolution bf16_problem_of(const winograd_shape *s)
{
    thaw_convolution p = winograd_problem_of(s);
    p.precision = THAW_BF16;
    return p;
}

/* Multiples of `unit` from -2 to 2 times of it. */
static float *integers(size_t count, float unit, uint32_t seed)
{
    float *values = winograd_random_values(count, seed);
    for (size_t i = 0; i < count; i++)
        values[i] = unit * roundf(2 * values[i]);
    return values;
}

/* Rounds the values to what the new array holds. */
static thaw_bfloat16 *bf16(float *values, size_t count)
{
    thaw_bfloat16 *rounded = winograd_room(count * sizeof *rounded);
    for (size_t i = 0; i < count; i++)
        values[i] = thaw_bfloat16_widen(rounded[i] = thaw_bfloat16_round(values[i]));
    return rounded;
}

/* A new array; of the image from the map's gradient, if `back`. */
static thaw_bfloat16 *compute(const thaw_convolution *p, bool back, int threads, const float *weight,
                              const thaw_bfloat16 *values, const float *bias, const thaw_bfloat16 *residual)
{
    thaw_context *context = support_context(threads);
    thaw_kernel *kernel, *pack;
    const size_t count = back ? winograd_input_count(p) : winograd_output_count(p);
    thaw_bfloat16 *result = winograd_room(count * sizeof *result);
    if (residual && p->after.residual == THAW_RESIDUAL_IN_PLACE)
        memcpy(result, residual, count * sizeof *result);
    if (back)
        assert_ok(context, thaw_winograd_backward_data(context, p, &kernel, &pack));
    else
        assert_ok(context, thaw_winograd_forward(context, p, &kernel, &pack));
    winograd_run(context, kernel, pack, weight, back ? THAW_ARGUMENT_DESTINATION_GRADIENT : THAW_ARGUMENT_SOURCE,
                 values, bias, residual, back ? THAW_ARGUMENT_SOURCE_GRADIENT : THAW_ARGUMENT_DESTINATION, result);
    thaw_kernel_release(context, kernel);
    thaw_kernel_release(context, pack);
    thaw_context_destroy(context);
    return result;
}

static void expect_rounded(const thaw_bfloat16 *found, const double *wanted, size_t count, const char *what)
{
    for (size_t i = 0; i < count; i++) {
        const double rounded = (double)thaw_bfloat16_widen(thaw_bfloat16_round((float)wanted[i]));
        const double value = (double)thaw_bfloat16_widen(found[i]);
        cr_assert(value == rounded, "%s: element %zu of %zu is %g, not %g", what, i, count, value, rounded);
    }
}

Test(winograd_bfloat16, is_exact_of_small_integers)
{
    for (size_t i = 0; i < WINOGRAD_SHAPES; i++)
        for (int mode = 0; mode < 18; mode++) {
            thaw_convolution p = bf16_problem_of(&winograd_shapes[i]);
            p.bias = mode % 2;
            p.after.residual = (thaw_residual)(mode / 2 % 3);
            p.after.activation = (thaw_activation)(mode / 6);
            const size_t outputs = winograd_output_count(&p), inputs = winograd_input_count(&p);
            float *weight = integers(winograd_weight_count(&p), 4, 1), *image = integers(inputs, 1, 2);
            float *bias = integers((size_t)p.output_channels, 1, 3), *residual = integers(outputs, 1, 4);
            thaw_bfloat16 *pixels = bf16(image, inputs), *added = bf16(residual, outputs);
            double *wanted = winograd_define(&p, weight, image, false);
            winograd_finish(&p, wanted, bias, residual);
            thaw_bfloat16 *map = compute(&p, false, mode % 3 + 1, weight, pixels, bias, added);
            expect_rounded(map, wanted, outputs, "map");
            void *const arrays[] = { weight, image, bias, residual, pixels, added, wanted, map };
            for (size_t a = 0; a < THAW_COUNT(arrays); a++)
                free(arrays[a]);
        }
}

Test(winograd_bfloat16, goes_back_to_the_image_exactly)
{
    for (size_t i = 0; i < WINOGRAD_SHAPES; i++) {
        const thaw_convolution p = bf16_problem_of(&winograd_shapes[i]);
        const size_t outputs = winograd_output_count(&p);
        float *weight = integers(winograd_weight_count(&p), 4, 1), *gradient = integers(outputs, 1, 2);
        thaw_bfloat16 *pixels = bf16(gradient, outputs);
        double *wanted = winograd_define(&p, weight, gradient, true);
        thaw_bfloat16 *image = compute(&p, true, 2, weight, pixels, NULL, NULL);
        expect_rounded(image, wanted, winograd_input_count(&p), "gradient of the image");
        void *const arrays[] = { weight, gradient, pixels, wanted, image };
        for (size_t a = 0; a < THAW_COUNT(arrays); a++)
            free(arrays[a]);
    }
}

/* Of sums of 9 * channels products: rounding a window, a kernel and the sum by up to 2^-9 each. */
Test(winograd_bfloat16, is_near_of_other_numbers)
{
    const winograd_shape s = { 2, 96, 64, { 14, 11 }, { 1, 1 }, { 1, 1 } };
    const thaw_convolution p = bf16_problem_of(&s);
    const size_t outputs = winograd_output_count(&p), inputs = winograd_input_count(&p);
    float *weight = winograd_random_values(winograd_weight_count(&p), 1), *image = winograd_random_values(inputs, 2);
    thaw_bfloat16 *pixels = bf16(image, inputs);
    double *wanted = winograd_define(&p, weight, image, false), squares = 0, errors = 0;
    thaw_bfloat16 *map = compute(&p, false, 2, weight, pixels, NULL, NULL);
    for (size_t i = 0; i < outputs; i++) {
        squares += wanted[i] * wanted[i];
        errors += pow((double)thaw_bfloat16_widen(map[i]) - wanted[i], 2);
    }
    cr_assert(sqrt(errors / squares) < 5e-3, "relative error %g", sqrt(errors / squares));
    void *const arrays[] = { weight, image, pixels, wanted, map };
    for (size_t a = 0; a < THAW_COUNT(arrays); a++)
        free(arrays[a]);
}

Test(winograd_bfloat16, is_the_same_for_any_thread_count)
{
    const thaw_convolution p = bf16_problem_of(&winograd_shapes[WINOGRAD_SHAPES - 1]);
    const size_t outputs = winograd_output_count(&p), inputs = winograd_input_count(&p);
    float *weight = winograd_random_values(winograd_weight_count(&p), 1), *image = winograd_random_values(inputs, 2);
    thaw_bfloat16 *pixels = bf16(image, inputs), *one = compute(&p, false, 1, weight, pixels, NULL, NULL);
    for (int threads = 2; threads <= 7; threads++) {
        thaw_bfloat16 *map = compute(&p, false, threads, weight, pixels, NULL, NULL);
        cr_assert_eq(memcmp(map, one, outputs * sizeof *map), 0, "%d threads", threads);
        free(map);
    }
    void *const arrays[] = { weight, image, pixels, one };
    for (size_t a = 0; a < THAW_COUNT(arrays); a++)
        free(arrays[a]);
}

/* ---- transforms, at each level of instructions that this CPU has ---- */

/* Rounded, what the transforms of floats give; NaN and the infinite, too. */
Test(winograd_bfloat16, transforms_as_floats_at_each_level)
{
    enum { CHANNELS = 21, STRIDE = 32 };
    float *pixels = winograd_random_values(16 * CHANNELS, 1), *sums = winograd_random_values(16 * THAW_PANEL_WIDTH, 2);
    pixels[3] = INFINITY;
    sums[5] = NAN;
    thaw_bfloat16 *upper = bf16(pixels, 16 * CHANNELS);
    static _Alignas(64) float values[16 * STRIDE];
    static _Alignas(64) thaw_bfloat16 halves[16 * STRIDE];
    float map[4 * CHANNELS];
    thaw_bfloat16 bf16_map[4 * CHANNELS];
    for (thaw_cpu_level level = THAW_CPU_BASELINE; level <= thaw_cpu_detect(); level++) {
        const thaw_winograd_functions *f = THAW_FOR_LEVEL_BF16(level, &thaw_winograd_loops);
        thaw_winograd_image image = { { 4, 4 }, CHANNELS, { 0, 0 }, { 1, 1 }, pixels, NULL, false };
        f->windows(&image, 0, 1, &(thaw_winograd_values){ values, STRIDE, STRIDE });
        image.pixels = upper;
        image.bf16 = true;
        f->windows(&image, 0, 1, &(thaw_winograd_values){ halves, STRIDE, STRIDE });
        for (size_t i = 0; i < 16 * STRIDE; i++)
            if (i % STRIDE < CHANNELS)
                cr_assert_eq(halves[i], thaw_bfloat16_round(values[i]), "level %d, value %zu", (int)level, i);
        thaw_winograd_map tile = { .size = { 2, 2 }, .channels = CHANNELS, .tiles = { 1, 1 }, .pixels = map };
        const thaw_winograd_values from = { sums, THAW_PANEL_WIDTH, THAW_PANEL_WIDTH };
        f->tiles(&tile, 0, 1, 0, &from);
        tile.pixels = bf16_map;
        tile.bf16 = true;
        f->tiles(&tile, 0, 1, 0, &from);
        for (size_t i = 0; i < 4 * CHANNELS; i++)
            cr_assert_eq(bf16_map[i], thaw_bfloat16_round(map[i]), "level %d, pixel %zu", (int)level, i);
    }
    free(pixels);
    free(sums);
    free(upper);
}

Test(winograd_bfloat16, pairs_kernels_at_each_level)
{
    enum { TAPS = 9 * THAW_PANEL_WIDTH };
    static _Alignas(64) float first[16 * THAW_PANEL_WIDTH], second[16 * THAW_PANEL_WIDTH];
    static _Alignas(64) thaw_bfloat16 pairs[16 * 2 * THAW_PANEL_WIDTH];
    float *taps = winograd_random_values(2 * TAPS, 1);
    for (thaw_cpu_level level = THAW_CPU_BASELINE; level <= thaw_cpu_detect(); level++) {
        THAW_FOR_LEVEL_BF16(level, &thaw_winograd_loops)->kernels(taps, first, THAW_PANEL_WIDTH);
        THAW_FOR_LEVEL_BF16(level, &thaw_winograd_loops)->kernels(taps + TAPS, second, THAW_PANEL_WIDTH);
        THAW_FOR_LEVEL_BF16(level, &thaw_winograd_loops)->bf16_kernels(taps, pairs, 2 * THAW_PANEL_WIDTH);
        for (size_t i = 0; i < 16 * THAW_PANEL_WIDTH; i++) {
            cr_assert_eq(pairs[2 * i], thaw_bfloat16_round(first[i]), "level %d, element %zu", (int)level, i);
            cr_assert_eq(pairs[2 * i + 1], thaw_bfloat16_round(second[i]), "level %d, element %zu", (int)level, i);
        }
    }
    free(taps);
}
