/* Products of bfloat16 with strips, at each level of instructions that this CPU has. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/cpu.h"
#include "kernels/bfloat16.h"
#include "kernels/strip_product.h"
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

static double expected_sum(const thaw_bfloat16 *left, const thaw_bfloat16 *strip, size_t depth, size_t column)
{
    double sum = 0;
    for (size_t k = 0; k < depth; k++)
        sum += (double)thaw_bfloat16_widen(left[k]) *
               (double)thaw_bfloat16_widen(strip[(k / 2 * THAW_STRIP + column) * 2 + k % 2]);
    return sum;
}

/* What is in the strip past an odd depth is 0; what is in `left` there is not, and must not matter. */
static void check(thaw_strip_product_bfloat16_function *multiply, size_t rows, size_t depth)
{
    static _Alignas(64) thaw_bfloat16 strip[(MOST_DEPTH + 1) * THAW_STRIP];
    static _Alignas(64) float product[(MOST_ROWS + 1) * THAW_STRIP], one[THAW_STRIP];
    static thaw_bfloat16 left[MOST_ROWS * STRIDE];
    fill(strip, THAW_COUNT(strip), 3);
    fill(left, THAW_COUNT(left), 4);
    for (size_t u = 0; depth % 2 && u < THAW_STRIP; u++)
        strip[(depth / 2 * THAW_STRIP + u) * 2 + 1] = 0;
    for (size_t r = 0; depth % 2 && r < rows; r++)
        left[r * STRIDE + depth] = 0x7FC0; /* NaN */
    memset(product, 0xFF, sizeof product);
    multiply(rows, depth, left, STRIDE, strip, product);
    for (size_t r = 0; r < rows; r++) {
        for (size_t u = 0; u < THAW_STRIP; u++)
            cr_assert_float_eq(product[r * THAW_STRIP + u], expected_sum(left + r * STRIDE, strip, depth, u), 2e-5,
                               "%zu rows, depth %zu: %g", rows, depth, (double)product[r * THAW_STRIP + u]);
        multiply(1, depth, left + r * STRIDE, STRIDE, strip, one);
        cr_assert_eq(memcmp(one, product + r * THAW_STRIP, sizeof one), 0, "row %zu of %zu", r, rows);
    }
    for (size_t u = 0; u < THAW_STRIP; u++)
        cr_assert(isnan(product[rows * THAW_STRIP + u]), "%zu rows: one more was written", rows);
}

Test(strip_product_bfloat16, multiplies_any_number_of_rows)
{
    const size_t depths[] = { 1, 2, 7, 64, 69 };
    for (thaw_cpu_level level = THAW_CPU_BASELINE; level <= thaw_cpu_detect(); level++)
        for (size_t rows = 1; rows <= MOST_ROWS; rows++)
            for (size_t d = 0; d < THAW_COUNT(depths); d++)
                check(THAW_FOR_LEVEL_BF16(level, thaw_strip_product_bfloat16), rows, depths[d]);
}
