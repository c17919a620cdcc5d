/* Sums over the samples of a batch, for gradients of what is the same in each of them. */
#ifndef THAW_LAYERS_BATCH_SUM_H
#define THAW_LAYERS_BATCH_SUM_H

#include <thaw/layer_module.h>

/* sums[i] is the sum of values[n * stride + i] over n < samples, for i < count, in doubles. The values are of
   `precision`, THAW_F32 or THAW_BF16. Each sum is one thread's, in the order of the samples. */
void thaw_batch_sum(thaw_context *context, thaw_dtype precision, const void *values, size_t samples, size_t stride,
                    size_t count, float *sums);

#endif
