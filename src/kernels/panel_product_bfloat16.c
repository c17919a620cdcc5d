/* The product of a few rows of bfloat16 with a panel of them, two numbers of the depth at a time. */
#include <string.h>

#include "kernels/panel_product.h"
#include "kernels/panel_tile.h"
#ifdef __AVX512BF16__
#include <immintrin.h>
#endif

/* Two numbers a lane, the first in the lower half. */
typedef uint32_t pairs __attribute__((vector_size(LANES * sizeof(uint32_t))));

/* sum + left[0] * right[0] + left[1] * right[1]. */
static inline __attribute__((always_inline)) vector add_pair(vector sum, uint32_t left, pairs right)
{
#ifdef __AVX512BF16__
    const __m512i both = _mm512_set1_epi32((int)left);
    return (vector)_mm512_dpbf16_ps((__m512)sum, (__m512bh)both, (__m512bh)right);
#else
    const uint32_t upper = 0xFFFF0000;
    const uint32_t bits[] = { left << 16, left & upper };
    float values[2];
    memcpy(values, bits, sizeof values);
    sum += values[0] * (vector)(right << 16);
    return sum + values[1] * (vector)(right & upper);
#endif
}

/* `rows` and `count`, of the numbers that are left of the depth, are constants where this is called. */
static inline __attribute__((always_inline)) void add_pairs(const size_t rows, const size_t count,
                                                            const thaw_bfloat16 *restrict left, size_t stride,
                                                            const thaw_bfloat16 *restrict panel,
                                                            vector sums[MOST_ROWS][VECTORS])
{
    const pairs *right = (const void *)panel;
#pragma GCC unroll 12
    for (size_t r = 0; r < rows; r++) {
        uint32_t pair = 0;
        memcpy(&pair, left + r * stride, count * sizeof *left);
#pragma GCC unroll 8
        for (size_t v = 0; v < VECTORS; v++)
            sums[r][v] = add_pair(sums[r][v], pair, right[v]);
    }
}

static inline __attribute__((always_inline)) void multiply(const size_t rows, size_t depth,
                                                           const thaw_bfloat16 *restrict left, size_t stride,
                                                           const thaw_bfloat16 *restrict panel, float *restrict product)
{
    vector sums[MOST_ROWS][VECTORS];
#pragma GCC unroll 12
    for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 8
        for (size_t v = 0; v < VECTORS; v++)
            sums[r][v] = (vector){ 0 };
    size_t k = 0;
    for (; k + 2 <= depth; k += 2)
        add_pairs(rows, 2, left + k, stride, panel + k * THAW_PANEL_WIDTH, sums);
    if (k < depth)
        add_pairs(rows, 1, left + k, stride, panel + k * THAW_PANEL_WIDTH, sums);
#pragma GCC unroll 12
    for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 8
        for (size_t v = 0; v < VECTORS; v++)
            ((vector *)(void *)(product + r * THAW_PANEL_WIDTH))[v] = sums[r][v];
}

static void multiply_columns(size_t rows, size_t depth, const thaw_bfloat16 *left, size_t stride,
                             const thaw_bfloat16 *panel, float *product)
{
    size_t r = 0;
#define MULTIPLY(count)                                             \
    for (; count <= MOST_ROWS && rows - r >= (count); r += (count)) \
    multiply(count <= MOST_ROWS ? (count) : 1, depth, left + r * stride, stride, panel, product + r * THAW_PANEL_WIDTH)
    MULTIPLY(12);
    MULTIPLY(8);
    MULTIPLY(6);
    MULTIPLY(4);
    MULTIPLY(3);
    MULTIPLY(2);
    MULTIPLY(1);
#undef MULTIPLY
}

void thaw_panel_product_bfloat16(size_t rows, size_t depth, const thaw_bfloat16 *left, size_t stride,
                                 const thaw_bfloat16 *panel, float *product)
{
    for (size_t column = 0; column < THAW_PANEL_WIDTH; column += COLUMNS)
        multiply_columns(rows, depth, left, stride, panel + 2 * column, product + column);
}
