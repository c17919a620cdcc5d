/* The part of a product of rows with a panel of THAW_PANEL_WIDTH columns that fits into registers: MOST_ROWS x
   COLUMNS sums over the whole depth. */
#ifndef THAW_KERNELS_PANEL_TILE_H
#define THAW_KERNELS_PANEL_TILE_H

#include "kernels/lanes.h"
#include "kernels/panel_product.h"

#if defined __AVX512F__
enum { COLUMNS = 32, MOST_ROWS = 12 };
#elif defined __AVX2__ || defined __aarch64__
enum { COLUMNS = 16, MOST_ROWS = 6 };
#else
enum { COLUMNS = 16, MOST_ROWS = 3 };
#endif
enum { VECTORS = COLUMNS / LANES };

/* Covers `rows` rows with tiles, the tallest first: calls MULTIPLY(r, count) for each. r is the tile's first row, and
   `count`, its rows, is a constant. */
#define FOR_TILES(rows, MULTIPLY)        \
    do {                                 \
        size_t r = 0;                    \
        FOR_TILES_OF(12, rows, MULTIPLY) \
        FOR_TILES_OF(10, rows, MULTIPLY) \
        FOR_TILES_OF(8, rows, MULTIPLY)  \
        FOR_TILES_OF(6, rows, MULTIPLY)  \
        FOR_TILES_OF(4, rows, MULTIPLY)  \
        FOR_TILES_OF(3, rows, MULTIPLY)  \
        FOR_TILES_OF(2, rows, MULTIPLY)  \
        FOR_TILES_OF(1, rows, MULTIPLY)  \
    } while (0)
#define FOR_TILES_OF(count, rows, MULTIPLY)                         \
    for (; count <= MOST_ROWS && (rows)-r >= (count); r += (count)) \
        MULTIPLY(r, count <= MOST_ROWS ? (count) : 1);

/* Element k of row r is values[r * row + k * depth]. Row k of a panel begins at values[k * depth]. */
typedef struct panel_operand {
    const float *values;
    size_t row, depth;
} panel_operand;

/* sums[r * stride + u] = sum over k of left[r][k] * right[k][u]. Callers pass a constant `rows`, so that the loops over
   rows and vectors unroll. */
INLINE void multiply_tile(const size_t rows, size_t depth, panel_operand left, panel_operand right, float *sums,
                          size_t stride)
{
    lanes tile[MOST_ROWS][VECTORS];
#pragma GCC unroll 12
    for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 8
        for (size_t v = 0; v < VECTORS; v++)
            tile[r][v] = (lanes){ 0 };
    for (size_t k = 0; k < depth; k++) {
        lanes panel[VECTORS];
#pragma GCC unroll 8
        for (size_t v = 0; v < VECTORS; v++)
            memcpy(&panel[v], right.values + k * right.depth + v * LANES, sizeof(lanes));
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
            memcpy(sums + r * stride + v * LANES, &tile[r][v], sizeof(lanes));
}

/* The same for any number of rows. */
INLINE void multiply_rows(size_t rows, size_t depth, panel_operand left, panel_operand right, float *sums,
                          size_t stride)
{
#define MULTIPLY(r, count)                                                                                  \
    multiply_tile(count, depth, (panel_operand){ left.values + r * left.row, left.row, left.depth }, right, \
                  sums + r * stride, stride)
    FOR_TILES(rows, MULTIPLY);
#undef MULTIPLY
}

/* The same for all columns of the panel. */
INLINE void multiply_panel(size_t rows, size_t depth, panel_operand left, panel_operand right, float *sums,
                           size_t stride)
{
    for (size_t column = 0; column < THAW_PANEL_WIDTH; column += COLUMNS) {
        const panel_operand columns = { right.values + column, right.row, right.depth };
        multiply_rows(rows, depth, left, columns, sums + column, stride);
    }
}

#endif
