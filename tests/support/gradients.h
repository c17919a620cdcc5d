/* All gradients of a model as one vector. */
#ifndef THAW_TESTS_SUPPORT_GRADIENTS_H
#define THAW_TESTS_SUPPORT_GRADIENTS_H

#include <thaw/thaw.h>

/* The gradients of the last step, one after the other, in memory of the caller's (free). *count is their number. */
float *support_gradients(thaw_model *model, size_t *count);

/* The Euclidean norm, in double precision. */
double support_norm(const float *values, size_t count);

/* The norm of the difference, as a share of the norm of `left`. */
double support_distance(const float *left, const float *right, size_t count);

#endif
