/* The products of attention, in tiles whose sums stay in registers: MOST_ROWS x COLUMNS. The terms of an element are
   added in the order of the depth, whatever else is computed. */
#ifndef THAW_KERNELS_ATTENTION_TILE_H
#define THAW_KERNELS_ATTENTION_TILE_H

#include "kernels/attention_part.h"
#include "kernels/lanes.h"

#if defined __AVX512F__
enum { VECTORS = 2, MOST_ROWS = 12 };
#elif defined __AVX2__
enum { VECTORS = 2, MOST_ROWS = 6 };
#elif defined __aarch64__
enum { VECTORS = 4, MOST_ROWS = 6 };
#else
enum { VECTORS = 4, MOST_ROWS = 3 };
#endif
enum { COLUMNS = VECTORS * LANES };

INLINE lanes load_floats(const float *from)
{
    lanes values;
    memcpy(&values, from, sizeof values);
    return values;
}

INLINE void store_floats(float *into, lanes values)
{
    memcpy(into, &values, sizeof values);
}

/* Element k of row r is values[r * row + k * depth]. Callers pass constants for `row` and `depth`, so that the addresses
   of a tile are one pointer and constants. */
typedef struct tile_left {
    const float *values;
    size_t row, depth;
} tile_left;

/* Row k begins at values[k * stride]. */
typedef struct tile_right {
    const float *values;
    size_t stride;
} tile_right;

/* Row r begins at values[r * stride]; `add` adds to what is there. */
typedef struct tile_sums {
    float *values;
    size_t stride;
    bool add;
} tile_sums;

INLINE void multiply_tile(const size_t rows, const size_t vectors, size_t depth, tile_left left, tile_right right,
                          tile_sums sums)
{
    lanes tile[MOST_ROWS][VECTORS];
#pragma GCC unroll 12
    for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 4
        for (size_t v = 0; v < vectors; v++)
            if (sums.add)
                memcpy(&tile[r][v], sums.values + r * sums.stride + v * LANES, sizeof(lanes));
            else
                tile[r][v] = (lanes){ 0 };
    for (size_t k = 0; k < depth; k++) {
        lanes panel[VECTORS];
#pragma GCC unroll 4
        for (size_t v = 0; v < vectors; v++)
            memcpy(&panel[v], right.values + k * right.stride + v * LANES, sizeof(lanes));
#pragma GCC unroll 12
        for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 4
            for (size_t v = 0; v < vectors; v++)
                tile[r][v] += left.values[r * left.row + k * left.depth] * panel[v];
    }
#pragma GCC unroll 12
    for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 4
        for (size_t v = 0; v < vectors; v++)
            memcpy(sums.values + r * sums.stride + v * LANES, &tile[r][v], sizeof(lanes));
}

/* Covers `rows` rows with tiles, the tallest first. Those of a tile are in one group of MOST_ROWS, which begins at
   left.values[r / MOST_ROWS * group]. */
INLINE void multiply_rows(size_t rows, const size_t vectors, size_t depth, tile_left left, size_t group,
                          tile_right right, tile_sums sums)
{
    size_t r = 0;
#define TILES(count)                                                                                               \
    for (; (count) <= MOST_ROWS && rows - r >= (count); r += (count)) {                                            \
        const float *at = left.values + r / MOST_ROWS * group + r % MOST_ROWS * left.row;                          \
        multiply_tile((count) <= MOST_ROWS ? (count) : 1, vectors, depth, (tile_left){ at, left.row, left.depth }, \
                      right, (tile_sums){ sums.values + r * sums.stride, sums.stride, sums.add });                 \
    }
    TILES(MOST_ROWS)
    TILES(8)
    TILES(4)
    TILES(2)
    TILES(1)
#undef TILES
}

/* The same for `columns`, a multiple of THAW_ATTENTION_COLUMNS. Strips of COLUMNS of the right side are `strip` floats
   apart. */
INLINE void multiply_columns(size_t rows, size_t columns, size_t depth, tile_left left, size_t group, tile_right right,
                             size_t strip, tile_sums sums)
{
    for (size_t c = 0; c < columns; c += COLUMNS) {
        if (columns - c >= COLUMNS)
            multiply_rows(rows, VECTORS, depth, left, group, right, sums);
        else if ((size_t)COLUMNS > THAW_ATTENTION_COLUMNS)
            multiply_rows(rows, 1, depth, left, group, right, sums);
        right.values += strip;
        sums.values += COLUMNS;
    }
}

#endif
