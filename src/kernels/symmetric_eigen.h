/* Eigenvalues and eigenvectors of symmetric matrices. */
#ifndef THAW_KERNELS_SYMMETRIC_EIGEN_H
#define THAW_KERNELS_SYMMETRIC_EIGEN_H

#include "kernels/matrix_product.h"

/* Floats of scratch memory for matrices of this side. */
size_t thaw_symmetric_eigen_room(size_t side);

/* Writes the eigenvalues [side], the largest first, and an orthonormal eigenvector of each as a row of `vectors`
   [side, side]. By reduction to a tridiagonal matrix in float, and QL iterations in double; destroys `matrix`. Called
   by all threads of a team; waits for them at the beginning and at the end. The bits do not depend on the number of
   threads. */
void thaw_symmetric_eigen(thaw_product_team *team, int thread, int threads, size_t side, float *matrix, float *values,
                          float *vectors, float *scratch);

#endif
