/* The loops of decompositions of matrices, built for each level of the CPU's instructions. */
#ifndef THAW_KERNELS_DECOMPOSITION_LOOPS_H
#define THAW_KERNELS_DECOMPOSITION_LOOPS_H

#include <stddef.h>

#include "core/cpu.h"

/* A step of the reduction to a tridiagonal matrix, over the columns [first, side): the last step's update, and the
   product of its result with this step's vector. */
typedef struct thaw_reduction {
    size_t side, first;
    const float *vector, *other; /* of the last step: row i loses vector[i] * other + other[i] * vector */
    const float *next;           /* of this step */
    float *matrix;               /* [side, side] */
    float *products;             /* [side]: of each updated row and `next` */
} thaw_reduction;

/* Rotations of neighbouring rows, from the pair (past - 1, past) down to (first, first + 1). */
typedef struct thaw_sweep {
    size_t first, past;
    const float *rotations; /* the cosine and sine of each, in that order */
} thaw_sweep;

typedef struct thaw_decomposition_loops_table {
    /* row -= scale * (row . vector) * vector. */
    void (*reflect)(size_t count, float scale, const float *vector, float *row);

    /* Rows [row, row + rows) of a reduction. */
    void (*reduce)(const thaw_reduction *reduction, size_t row, size_t rows);

    /* Applies a sweep to the columns [column, column + columns) of a matrix of `side` columns. */
    void (*rotate)(const thaw_sweep *sweep, float *matrix, size_t side, size_t column, size_t columns);
} thaw_decomposition_loops_table;

THAW_DECLARE_LEVELS(const thaw_decomposition_loops_table, thaw_decomposition_loops);

/* Columns that `rotate` takes at a time: those of a call begin at a multiple. */
enum { THAW_ROTATED_COLUMNS = 64 };

#endif
