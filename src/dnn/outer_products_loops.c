/* As many sums as fit into the registers, over the whole depth. Operands are read where they lie: each row of a tile of
   theirs is a line or two of the cache. */
#include "dnn/outer_products_loops.h"

#include <string.h>

#include "core/strip_product.h"
#include "core/strip_tile.h"

static inline __attribute__((always_inline)) vector load(const float *from)
{
    vector v;
    memcpy(&v, from, sizeof v);
    return v;
}

/* `rows` is a constant where this is called, and the loops over rows and vectors unroll. */
static inline __attribute__((always_inline)) void multiply(const size_t rows, size_t depth, thaw_outer_operand left,
                                                           thaw_outer_operand right, float *sums, size_t stride)
{
    vector tile[MOST_ROWS][VECTORS];
#pragma GCC unroll 12
    for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 8
        for (size_t v = 0; v < VECTORS; v++)
            tile[r][v] = (vector){ 0 };
    for (size_t k = 0; k < depth; k++) {
        const float *row = left.values + k * left.stride;
        vector strip[VECTORS];
#pragma GCC unroll 8
        for (size_t v = 0; v < VECTORS; v++)
            strip[v] = load(right.values + k * right.stride + v * LANES);
#pragma GCC unroll 12
        for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 8
            for (size_t v = 0; v < VECTORS; v++)
                tile[r][v] += row[r] * strip[v];
    }
#pragma GCC unroll 12
    for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 8
        for (size_t v = 0; v < VECTORS; v++)
            memcpy(sums + r * stride + v * LANES, &tile[r][v], sizeof(vector));
}

static void multiply_columns(size_t rows, size_t depth, thaw_outer_operand left, thaw_outer_operand right, float *sums,
                             size_t stride)
{
    size_t r = 0;
#define MULTIPLY(count)                                                                                            \
    for (; count <= MOST_ROWS && rows - r >= (count); r += (count))                                                \
    multiply(count <= MOST_ROWS ? (count) : 1, depth, (thaw_outer_operand){ left.values + r, left.stride }, right, \
             sums + r * stride, stride)
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

void thaw_outer_products_loops(size_t rows, size_t depth, thaw_outer_operand left, thaw_outer_operand right,
                               float *sums, size_t stride)
{
    for (size_t column = 0; column < THAW_STRIP; column += COLUMNS)
        multiply_columns(rows, depth, left, (thaw_outer_operand){ right.values + column, right.stride }, sums + column,
                         stride);
}
