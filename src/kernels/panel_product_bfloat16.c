/* The product of a few rows of bfloat16 with a panel of them, two numbers of the depth at a time. */
#include "kernels/panel_product.h"

#ifdef __AVX512BF16__
#include <immintrin.h>
#endif

#include "kernels/panel_tile.h"

/* sum + left[0] * right[0] + left[1] * right[1]. Each word holds two numbers, the first in its lower half. */
INLINE lanes add_pair(lanes sum, uint32_t left, words right)
{
#ifdef __AVX512BF16__
    const __m512i both = _mm512_set1_epi32((int)left);
    return (lanes)_mm512_dpbf16_ps((__m512)sum, (__m512bh)both, (__m512bh)right);
#else
    const uint32_t upper = 0xFFFF0000;
    const uint32_t bits[] = { left << 16, left & upper };
    float values[2];
    memcpy(values, bits, sizeof values);
    sum += values[0] * (lanes)(right << 16);
    return sum + values[1] * (lanes)(right & upper);
#endif
}

/* Adds the products of the next `count` numbers of the depth, 1 or 2. Callers pass constants for `rows` and `count`. */
INLINE void add_pairs(const size_t rows, const size_t count, const thaw_bfloat16 *restrict left, size_t stride,
                      const thaw_bfloat16 *restrict panel, lanes sums[MOST_ROWS][VECTORS])
{
    const words *right = (const void *)panel;
#pragma GCC unroll 12
    for (size_t r = 0; r < rows; r++) {
        uint32_t pair = 0;
        memcpy(&pair, left + r * stride, count * sizeof *left);
#pragma GCC unroll 8
        for (size_t v = 0; v < VECTORS; v++)
            sums[r][v] = add_pair(sums[r][v], pair, right[v]);
    }
}

INLINE void multiply(const size_t rows, size_t depth, const thaw_bfloat16 *restrict left, size_t stride,
                     const thaw_bfloat16 *restrict panel, float *restrict product)
{
    lanes sums[MOST_ROWS][VECTORS];
#pragma GCC unroll 12
    for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 8
        for (size_t v = 0; v < VECTORS; v++)
            sums[r][v] = (lanes){ 0 };
    size_t k = 0;
    for (; k + 2 <= depth; k += 2)
        add_pairs(rows, 2, left + k, stride, panel + k * THAW_PANEL_WIDTH, sums);
    if (k < depth)
        add_pairs(rows, 1, left + k, stride, panel + k * THAW_PANEL_WIDTH, sums);
#pragma GCC unroll 12
    for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 8
        for (size_t v = 0; v < VECTORS; v++)
            ((lanes *)(void *)(product + r * THAW_PANEL_WIDTH))[v] = sums[r][v];
}

static void multiply_columns(size_t rows, size_t depth, const thaw_bfloat16 *left, size_t stride,
                             const thaw_bfloat16 *panel, float *product)
{
#define MULTIPLY(r, count) multiply(count, depth, left + r * stride, stride, panel, product + r * THAW_PANEL_WIDTH)
    FOR_TILES(rows, MULTIPLY);
#undef MULTIPLY
}

void thaw_panel_product_bfloat16(size_t rows, size_t depth, const thaw_bfloat16 *left, size_t stride,
                                 const thaw_bfloat16 *panel, float *product)
{
    for (size_t column = 0; column < THAW_PANEL_WIDTH; column += COLUMNS)
        multiply_columns(rows, depth, left, stride, panel + 2 * column, product + column);
}
