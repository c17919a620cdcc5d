/* Scaled sums, for adding gradients. */
#ifndef THAW_KERNELS_SCALED_SUM_H
#define THAW_KERNELS_SCALED_SUM_H

#include <thaw/runtime.h>

/* into[i] = from[i] + factor * term[i], on the context's threads. `from` is NULL for zeros, or `into`; otherwise
   `term` is `into`. The arrays must not overlap otherwise. */
void thaw_scaled_sum(thaw_context *context, float *into, const float *from, float factor, const float *term,
                     size_t count);

#endif
