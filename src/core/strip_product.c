/* The product of a few rows with a strip of a matrix: as many sums as fit into the registers, over the whole depth. */
#include "core/strip_product.h"

#include "core/strip_tile.h"

/* `rows` is a constant where this is called, and the loops over rows and vectors unroll. */
static inline __attribute__((always_inline)) void multiply(const size_t rows, size_t depth, const float *restrict left,
                                                           size_t stride, const float *restrict strip,
                                                           float *restrict product)
{
    vector sums[MOST_ROWS][VECTORS];
#pragma GCC unroll 12
    for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 8
        for (size_t v = 0; v < VECTORS; v++)
            sums[r][v] = (vector){ 0 };
    for (size_t k = 0; k < depth; k++) {
        const vector *right = (const void *)(strip + k * THAW_STRIP);
#pragma GCC unroll 12
        for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 8
            for (size_t v = 0; v < VECTORS; v++)
                sums[r][v] += left[r * stride + k] * right[v];
    }
#pragma GCC unroll 12
    for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 8
        for (size_t v = 0; v < VECTORS; v++)
            ((vector *)(void *)(product + r * THAW_STRIP))[v] = sums[r][v];
}

static void multiply_columns(size_t rows, size_t depth, const float *left, size_t stride, const float *strip,
                             float *product)
{
    size_t r = 0;
#define MULTIPLY(count)                                             \
    for (; count <= MOST_ROWS && rows - r >= (count); r += (count)) \
    multiply(count <= MOST_ROWS ? (count) : 1, depth, left + r * stride, stride, strip, product + r * THAW_STRIP)
    MULTIPLY(12);
    MULTIPLY(8);
    MULTIPLY(6);
    MULTIPLY(4);
    MULTIPLY(3);
    MULTIPLY(2);
    MULTIPLY(1);
#undef MULTIPLY
}

void thaw_strip_product(size_t rows, size_t depth, const float *left, size_t stride, const float *strip, float *product)
{
    for (size_t column = 0; column < THAW_STRIP; column += COLUMNS)
        multiply_columns(rows, depth, left, stride, strip + column, product + column);
}
