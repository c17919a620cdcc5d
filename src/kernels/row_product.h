/* The product of rows with a packed weight, for dense layers, and for the input of recurrent layers in training. A
   row's result depends only on the row and the weight: not on the number of rows, or its place among them. oneDNN's
   products (2.6.3, "x64:gemm:jit" and "brgemm:avx512_core") do not guarantee that: a sample from the feature cache would
   differ in its last bits from a computed one. */
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
