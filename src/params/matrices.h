/* Products of row-major matrices by oneDNN's inner products, which compute all three kinds. */
#ifndef THAW_PARAMS_MATRICES_H
#define THAW_PARAMS_MATRICES_H

#include "onednn/kernel.h"

/* C [m, n] = A [m, k] B [k, n], and the gradients of A and B from that of C. */
typedef struct thaw_matrices {
    thaw_kernel *value, *left, *right;
} thaw_matrices;

thaw_status thaw_matrices_create(thaw_context *context, int64_t m, int64_t k, int64_t n, thaw_matrices **matrices);
void thaw_matrices_release(thaw_context *context, thaw_matrices *matrices); /* NULL is allowed */
size_t thaw_matrices_scratch_bytes(const thaw_matrices *matrices);

thaw_status thaw_matrices_multiply(const thaw_matrices *matrices, const float *a, const float *b, float *c,
                                   void *scratch);
thaw_status thaw_matrices_left(const thaw_matrices *matrices, const float *c_gradient, const float *b,
                               float *a_gradient, void *scratch); /* dA = dC B^T */
thaw_status thaw_matrices_right(const thaw_matrices *matrices, const float *a, const float *c_gradient,
                                float *b_gradient, void *scratch); /* dB = A^T dC */

#endif
