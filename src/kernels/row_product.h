/* The product of rows with a packed weight: of dense layers, and of a recurrent layer's input in training. A row's result
   depends on the row and the weight alone: not on how many rows there are, or which of them it is. oneDNN's product for
   AVX2 (2.6.3, "x64:gemm:jit") does not keep that, and then a sample from the feature cache has other last bits than one
   computed. */
#ifndef THAW_KERNELS_ROW_PRODUCT_H
#define THAW_KERNELS_ROW_PRODUCT_H

#include "onednn/inner_product.h"

/* Whether the kernel can apply the activation: none, ReLU or ReLU6. */
bool thaw_row_product_activates(thaw_activation activation);

/* SOURCE, WEIGHTS, BIAS, RESIDUAL -> DESTINATION, as thaw_inner_product_forward; and the kernel that packs the weight.
   Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_row_product_create(thaw_context *context, const thaw_inner_product *problem, thaw_kernel **kernel,
                                    thaw_kernel **pack);

#endif
