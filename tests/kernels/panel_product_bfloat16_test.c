/* Products of bfloat16 with panels, at each level of instructions that this CPU has. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/cpu.h"
#include "kernels/bfloat16.h"
#include "kernels/panel_product.h"
#include "support/support.h"

enum { MOST_ROWS = 30, MOST_DEPTH = 70, STRIDE = MOST_DEPTH + 3 };

static void fill(thaw_bfloat16 *values, size_t count, uint32_t seed)
{
    float *floats = malloc(count * sizeof *floats);
    support_fill(floats, count, seed);
    for (size_t i = 0; i < count; i++)
        values[i] = thaw_bfloat16_round(floats[i]);
    free(floats);
}

static double expected_sum(const thaw_bfloat16 *left, const thaw_bfloat16 *panel, size_t depth, size_t column)
{
    double sum = 0;
    for (size_t k = 0; k < depth; k++)
        sum += (double)thaw_bfloat16_widen(left[k]) *
               (double)thaw_bfloat16_widen(panel[(k / 2 * THAW_PANEL_WIDTH + column) * 2 + k % 2]);
    return sum;
}

/* What is in the panel past an odd depth is 0; what is in `left` there is not, and must not matter. */
static void check(thaw_panel_product_bfloat16_function *multiply, size_t rows, size_t depth)
{
    static _Alignas(64) thaw_bfloat16 panel[(MOST_DEPTH + 1) * THAW_PANEL_WIDTH];
    static _Alignas(64) float product[(MOST_ROWS + 1) * THAW_PANEL_WIDTH], one[THAW_PANEL_WIDTH];
    static thaw_bfloat16 left[MOST_ROWS * STRIDE];
    fill(panel, THAW_COUNT(panel), 3);
    fill(left, THAW_COUNT(left), 4);
    for (size_t u = 0; depth % 2 && u < THAW_PANEL_WIDTH; u++)
        panel[(depth / 2 * THAW_PANEL_WIDTH + u) * 2 + 1] = 0;
    for (size_t r = 0; depth % 2 && r < rows; r++)
        left[r * STRIDE + depth] = 0x7FC0; /* NaN */
    memset(product, 0xFF, sizeof product);
    multiply(rows, depth, left, STRIDE, panel, product);
    for (size_t r = 0; r < rows; r++) {
        for (size_t u = 0; u < THAW_PANEL_WIDTH; u++)
            cr_assert_float_eq(product[r * THAW_PANEL_WIDTH + u], expected_sum(left + r * STRIDE, panel, depth, u),
                               2e-5, "%zu rows, depth %zu: %g", rows, depth, (double)product[r * THAW_PANEL_WIDTH + u]);
        multiply(1, depth, left + r * STRIDE, STRIDE, panel, one);
        cr_assert_eq(memcmp(one, product + r * THAW_PANEL_WIDTH, sizeof one), 0, "row %zu of %zu", r, rows);
    }
    for (size_t u = 0; u < THAW_PANEL_WIDTH; u++)
        cr_assert(isnan(product[rows * THAW_PANEL_WIDTH + u]), "%zu rows: one more was written", rows);
}

Test(panel_product_bfloat16, multiplies_any_number_of_rows)
{
    const size_t depths[] = { 1, 2, 7, 64, 69 };
    for (thaw_cpu_level level = THAW_CPU_BASELINE; level <= thaw_cpu_detect(); level++)
        for (size_t rows = 1; rows <= MOST_ROWS; rows++)
            for (size_t d = 0; d < THAW_COUNT(depths); d++)
                check(THAW_FOR_LEVEL_BF16(level, thaw_panel_product_bfloat16), rows, depths[d]);
}
