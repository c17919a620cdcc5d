/* Winograd's convolution against the definition in doubles: kernels, and its transforms at each level of instructions
   that this CPU has. */
#include "kernels/winograd.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/panel_product.h"
#include "kernels/winograd_loops.h"
#include "support/support.h"
#include "support/winograd_problem.h"

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

/* A new array. */
static float *forward(const thaw_convolution *p, int threads, const float *weight, const float *image,
                      const float *bias, const float *residual)
{
    thaw_context *context = support_context(threads);
    thaw_kernel *kernel, *pack;
    float *map = winograd_room(winograd_output_count(p) * sizeof *map);
    assert_ok(context, thaw_winograd_forward(context, p, &kernel, &pack));
    cr_assert_str_eq(thaw_kernel_name(kernel), "winograd 2x2");
    if (p->after.residual == THAW_RESIDUAL_IN_PLACE)
        memcpy(map, residual, winograd_output_count(p) * sizeof *map);
    winograd_run(context, kernel, pack, weight, THAW_ARGUMENT_SOURCE, image, bias, residual, THAW_ARGUMENT_DESTINATION,
                 map);
    thaw_kernel_release(context, kernel);
    thaw_kernel_release(context, pack);
    thaw_context_destroy(context);
    return map;
}

static float *backward(const thaw_convolution *p, int threads, const float *weight, const float *gradient)
{
    thaw_context *context = support_context(threads);
    thaw_kernel *kernel, *pack;
    float *image = winograd_room(winograd_input_count(p) * sizeof *image);
    assert_ok(context, thaw_winograd_backward_data(context, p, &kernel, &pack));
    winograd_run(context, kernel, pack, weight, THAW_ARGUMENT_DESTINATION_GRADIENT, gradient, NULL, NULL,
                 THAW_ARGUMENT_SOURCE_GRADIENT, image);
    thaw_kernel_release(context, kernel);
    thaw_kernel_release(context, pack);
    thaw_context_destroy(context);
    return image;
}

Test(winograd, is_a_convolution_with_what_comes_after)
{
    for (size_t i = 0; i < WINOGRAD_SHAPES; i++)
        for (int mode = 0; mode < 18; mode++) {
            thaw_convolution p = winograd_problem_of(&winograd_shapes[i]);
            p.bias = mode % 2;
            p.after.residual = (thaw_residual)(mode / 2 % 3);
            p.after.activation = (thaw_activation)(mode / 6);
            float *weight = winograd_random_values(winograd_weight_count(&p), 1),
                  *image = winograd_random_values(winograd_input_count(&p), 2);
            float *bias = winograd_random_values((size_t)p.output_channels, 3),
                  *residual = winograd_random_values(winograd_output_count(&p), 4);
            double *wanted = winograd_define(&p, weight, image, false);
            winograd_finish(&p, wanted, bias, residual);
            float *map = forward(&p, mode % 3 + 1, weight, image, bias, residual);
            expect(map, wanted, winograd_output_count(&p), "map");
            float *const arrays[] = { weight, image, bias, residual, map };
            for (size_t a = 0; a < THAW_COUNT(arrays); a++)
                free(arrays[a]);
            free(wanted);
        }
}

Test(winograd, goes_back_to_the_image)
{
    for (size_t i = 0; i < WINOGRAD_SHAPES; i++) {
        const thaw_convolution p = winograd_problem_of(&winograd_shapes[i]);
        float *weight = winograd_random_values(winograd_weight_count(&p), 1),
              *gradient = winograd_random_values(winograd_output_count(&p), 2);
        double *wanted = winograd_define(&p, weight, gradient, true);
        float *image = backward(&p, 2, weight, gradient);
        expect(image, wanted, winograd_input_count(&p), "gradient of the image");
        free(weight);
        free(gradient);
        free(wanted);
        free(image);
    }
}

/* To the bit: the last shape's images alone, at any thread count, beside those of the whole batch. */
Test(winograd, computes_an_image_alike_wherever_it_lies)
{
    const thaw_convolution all = winograd_problem_of(&winograd_shapes[WINOGRAD_SHAPES - 1]);
    thaw_convolution one = all;
    one.batch = 1;
    float *weight = winograd_random_values(winograd_weight_count(&all), 1),
          *images = winograd_random_values(winograd_input_count(&all), 2);
    float *maps = forward(&all, 1, weight, images, NULL, NULL);
    for (int threads = 1; threads <= 7; threads++) {
        const size_t n = (size_t)threads * 2, each = winograd_output_count(&one);
        float *map = forward(&one, threads, weight, images + n * winograd_input_count(&one), NULL, NULL);
        float *again = forward(&all, threads, weight, images, NULL, NULL);
        cr_assert_eq(memcmp(map, maps + n * each, each * sizeof *map), 0, "image %zu, %d threads", n, threads);
        cr_assert_eq(memcmp(again, maps, winograd_output_count(&all) * sizeof *map), 0, "%d threads", threads);
        free(map);
        free(again);
    }
    free(weight);
    free(images);
    free(maps);
}

/* ---- transforms ---- */

/* The paper's matrices. */
static const double window_matrix[4][4] = { { 1, 0, -1, 0 }, { 0, 1, 1, 0 }, { 0, -1, 1, 0 }, { 0, 1, 0, -1 } };
static const double kernel_matrix[4][3] = { { 1, 0, 0 }, { .5, .5, .5 }, { .5, -.5, .5 }, { 0, 0, 1 } };

Test(winograd, transforms_windows_at_each_level)
{
    enum { CHANNELS = 21, STRIDE = 32 };
    static float pixels[16 * CHANNELS], zeros[CHANNELS];
    static _Alignas(64) float values[16 * STRIDE];
    const thaw_winograd_image image = { { 4, 4 }, CHANNELS, { 0, 0 }, { 1, 1 }, pixels, zeros, false };
    support_fill(pixels, THAW_COUNT(pixels), 1);
    for (thaw_cpu_level level = THAW_CPU_BASELINE; level <= thaw_cpu_detect(); level++) {
        THAW_FOR_LEVEL_BF16(level, &thaw_winograd_loops)
            ->windows(&image, 0, 1, &(thaw_winograd_values){ values, STRIDE, STRIDE });
        for (size_t v = 0; v < 16; v++)
            for (size_t c = 0; c < CHANNELS; c++) {
                double wanted = 0;
                for (size_t i = 0; i < 16; i++)
                    wanted +=
                        window_matrix[v / 4][i / 4] * window_matrix[v % 4][i % 4] * (double)pixels[i * CHANNELS + c];
                cr_assert_float_eq(values[v * STRIDE + c], wanted, 1e-6, "level %d, value %zu", (int)level, v);
            }
    }
}

Test(winograd, transforms_kernels_at_each_level)
{
    static _Alignas(64) float taps[9 * THAW_PANEL_WIDTH], values[16 * THAW_PANEL_WIDTH];
    support_fill(taps, THAW_COUNT(taps), 1);
    for (thaw_cpu_level level = THAW_CPU_BASELINE; level <= thaw_cpu_detect(); level++) {
        THAW_FOR_LEVEL_BF16(level, &thaw_winograd_loops)->kernels(taps, values, THAW_PANEL_WIDTH);
        for (size_t v = 0; v < 16; v++)
            for (size_t u = 0; u < THAW_PANEL_WIDTH; u++) {
                double wanted = 0;
                for (size_t t = 0; t < 9; t++)
                    wanted += kernel_matrix[v / 4][t / 3] * kernel_matrix[v % 4][t % 3] *
                              (double)taps[t * THAW_PANEL_WIDTH + u];
                cr_assert_float_eq(values[v * THAW_PANEL_WIDTH + u], wanted, 1e-6, "level %d, value %zu", (int)level,
                                   v);
            }
    }
}

static const double tile_matrix[2][4] = { { 1, 1, 1, 0 }, { 0, 1, -1, -1 } };

Test(winograd, transforms_tiles_at_each_level)
{
    enum { CHANNELS = 21 };
    static _Alignas(64) float sums[16 * THAW_PANEL_WIDTH];
    float pixels[4 * CHANNELS];
    const thaw_winograd_map map = { .size = { 2, 2 }, .channels = CHANNELS, .tiles = { 1, 1 }, .pixels = pixels };
    support_fill(sums, THAW_COUNT(sums), 1);
    for (thaw_cpu_level level = THAW_CPU_BASELINE; level <= thaw_cpu_detect(); level++) {
        THAW_FOR_LEVEL_BF16(level, &thaw_winograd_loops)
            ->tiles(&map, 0, 1, 0, &(thaw_winograd_values){ sums, THAW_PANEL_WIDTH, THAW_PANEL_WIDTH });
        for (size_t i = 0; i < 4; i++)
            for (size_t c = 0; c < CHANNELS; c++) {
                double wanted = 0;
                for (size_t v = 0; v < 16; v++)
                    wanted +=
                        tile_matrix[i / 2][v / 4] * tile_matrix[i % 2][v % 4] * (double)sums[v * THAW_PANEL_WIDTH + c];
                cr_assert_float_eq(pixels[i * CHANNELS + c], wanted, 2e-6, "level %d, pixel %zu", (int)level, i);
            }
    }
}
