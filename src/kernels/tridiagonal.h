/* The reduction of a symmetric matrix to a tridiagonal one by Householder's reflections: A = Q T Q^T. */
#ifndef THAW_KERNELS_TRIDIAGONAL_H
#define THAW_KERNELS_TRIDIAGONAL_H

#include "kernels/matrix_product.h"

/* Floats of scratch memory for matrices of this side. */
size_t thaw_tridiagonal_room(size_t side);

/* Writes T's diagonal [side] and what is beside it [side - 1], and Q^T into `result` [side, side]; destroys `matrix`.
   Called by all threads of a team; waits for them at the beginning and at the end. The bits do not depend on the number
   of threads. */
void thaw_tridiagonal(thaw_product_team *team, int thread, int threads, size_t side, float *matrix, double *diagonal,
                      double *beside, float *result, float *scratch);

#endif
