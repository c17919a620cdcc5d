/* The loops of products of matrices and vectors, built for each level of the CPU's instructions. */
#ifndef THAW_KERNELS_MATRIX_TILES_H
#define THAW_KERNELS_MATRIX_TILES_H

#include <thaw/matrix_stage.h>

#include "core/cpu.h"

/* A block of a result: `rows` x `columns` at (`row`, `column`), and the terms [first, first + depth) of its elements. */
typedef struct thaw_matrix_tile {
    const thaw_matrix_product *product;
    size_t row, rows, column, columns, first, depth;
    const float *left, *right; /* packed for these terms: all rows, if the left matrix is transposed; all columns */
} thaw_matrix_tile;

typedef struct thaw_matrix_loops_table {
    size_t strip_rows, strip_columns; /* of a tile that fits into registers */

    /* Copies `count` lines of `depth` terms side by side, term by term, `width` floats a term, the last of them zeros if
       there are fewer lines. Term k of line i is from[i * line + k * term]. */
    void (*pack)(const float *from, size_t line, size_t term, size_t count, size_t width, size_t depth, float *to);

    /* Adds to the block, or begins it if the first term is 0. Of a symmetric result, only what is needed: the elements
       at and below the diagonal, and others. */
    void (*multiply)(const thaw_matrix_tile *tile);

    /* Copies the elements below the diagonal of rows [first, past) to their places above it. */
    void (*mirror)(float *matrix, size_t side, size_t first, size_t past);

    /* The sum of left[i] * right[i], in double. */
    double (*dot)(size_t count, const float *left, const float *right);
} thaw_matrix_loops_table;

THAW_DECLARE_LEVELS(const thaw_matrix_loops_table, thaw_matrix_loops);

#endif
