/* The orthonormal rows of a QR decomposition. */
#ifndef THAW_KERNELS_ORTHONORMAL_ROWS_H
#define THAW_KERNELS_ORTHONORMAL_ROWS_H

#include "kernels/matrix_product.h"

/* Floats of scratch memory for matrices of this side. */
size_t thaw_orthonormal_rows_room(size_t side);

/* Makes the rows of `result` orthonormal, row i in the span of rows [0, i] of `matrix`, by Householder's reflections;
   destroys `matrix`. Both are [side, side]. Rows that depend on those before yield any that are orthogonal to them.
   Called by all threads of a team; waits for them at the beginning and at the end. */
void thaw_orthonormal_rows(thaw_product_team *team, int thread, int threads, size_t side, float *matrix, float *result,
                           float *scratch);

#endif
