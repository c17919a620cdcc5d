/* The bias and the activation, for kernels that know neither. */
#ifndef THAW_LAYERS_BIAS_H
#define THAW_LAYERS_BIAS_H

#include <thaw/layer_module.h>

/* Adds the bias, which may be NULL, to each row, and then applies ReLU if `relu`. The values are of `precision`,
   THAW_F32 or THAW_BF16. */
void thaw_add_bias(thaw_context *context, size_t rows, size_t columns, thaw_dtype precision, const float *bias,
                   bool relu, void *values);

#endif
