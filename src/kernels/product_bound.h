/* Whether a matrix product must be finite, from its factors alone. */
#ifndef THAW_KERNELS_PRODUCT_BOUND_H
#define THAW_KERNELS_PRODUCT_BOUND_H

#include <thaw/runtime.h>

/* Whether each sum of at most `terms` products of an element of `a` and one of `b` is finite in floats, in any order of
   adding. False if that is not certain. */
bool thaw_products_are_finite(thaw_context *context, size_t terms, const float *a, size_t a_count, const float *b,
                              size_t b_count);

#endif
