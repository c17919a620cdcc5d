/* How much of a product of rows with a panel of THAW_PANEL_WIDTH columns the registers hold: sums of so many rows and columns,
   which run over the whole depth. */
#ifndef THAW_KERNELS_PANEL_TILE_H
#define THAW_KERNELS_PANEL_TILE_H

#include <string.h>

#include "kernels/panel_product.h"

#if defined __AVX512F__
enum { LANES = 16, COLUMNS = 32, MOST_ROWS = 12 };
#elif defined __AVX2__
enum { LANES = 8, COLUMNS = 16, MOST_ROWS = 6 };
#elif defined __aarch64__
enum { LANES = 4, COLUMNS = 16, MOST_ROWS = 6 };
#else
enum { LANES = 4, COLUMNS = 16, MOST_ROWS = 3 };
#endif
enum { VECTORS = COLUMNS / LANES };

typedef float vector __attribute__((vector_size(LANES * sizeof(float))));

#define THAW_INLINE static inline __attribute__((always_inline))

/* Element k of row r lies at values[r * row + k * depth]; of a panel, at values[k * depth] and what follows. */
typedef struct panel_operand {
    const float *values;
    size_t row, depth;
} panel_operand;

/* sums[r * stride + u] = sum over k of left[r][k] * right[k][u]. `rows` is a constant where this is called, and the loops
   over rows and vectors unroll. */
THAW_INLINE void multiply_tile(const size_t rows, size_t depth, panel_operand left, panel_operand right, float *sums,
                               size_t stride)
{
    vector tile[MOST_ROWS][VECTORS];
#pragma GCC unroll 12
    for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 8
        for (size_t v = 0; v < VECTORS; v++)
            tile[r][v] = (vector){ 0 };
    for (size_t k = 0; k < depth; k++) {
        vector panel[VECTORS];
#pragma GCC unroll 8
        for (size_t v = 0; v < VECTORS; v++)
            memcpy(&panel[v], right.values + k * right.depth + v * LANES, sizeof(vector));
#pragma GCC unroll 12
        for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 8
            for (size_t v = 0; v < VECTORS; v++)
                tile[r][v] += left.values[r * left.row + k * left.depth] * panel[v];
    }
#pragma GCC unroll 12
    for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 8
        for (size_t v = 0; v < VECTORS; v++)
            memcpy(sums + r * stride + v * LANES, &tile[r][v], sizeof(vector));
}

/* The same of any number of rows. */
THAW_INLINE void multiply_rows(size_t rows, size_t depth, panel_operand left, panel_operand right, float *sums,
                               size_t stride)
{
    size_t r = 0;
#define MULTIPLY(count)                                                                                          \
    for (; count <= MOST_ROWS && rows - r >= (count); r += (count))                                              \
    multiply_tile(count <= MOST_ROWS ? (count) : 1, depth,                                                       \
                  (panel_operand){ left.values + r * left.row, left.row, left.depth }, right, sums + r * stride, \
                  stride)
    MULTIPLY(12);
    MULTIPLY(10);
    MULTIPLY(8);
    MULTIPLY(6);
    MULTIPLY(4);
    MULTIPLY(3);
    MULTIPLY(2);
    MULTIPLY(1);
#undef MULTIPLY
}

/* And of all columns of the panel. */
THAW_INLINE void multiply_panel(size_t rows, size_t depth, panel_operand left, panel_operand right, float *sums,
                                size_t stride)
{
    for (size_t column = 0; column < THAW_PANEL_WIDTH; column += COLUMNS) {
        const panel_operand columns = { right.values + column, right.row, right.depth };
        multiply_rows(rows, depth, left, columns, sums + column, stride);
    }
}

#endif
