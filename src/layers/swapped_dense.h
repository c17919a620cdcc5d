/* A dense layer's forward pass with swapped operands: y = (W x^T)^T + b. oneDNN is fast if the second operand is
   packed. If the input is the smaller operand, it is packed instead of the weight, which is read in its own layout. */
#ifndef THAW_LAYERS_SWAPPED_DENSE_H
#define THAW_LAYERS_SWAPPED_DENSE_H

#include <thaw/layer_module.h>

#include "onednn/inner_product.h"
#include "onednn/placement.h"

typedef struct thaw_swapped_dense {
    size_t batch, inputs, outputs;
    bool relu;
    thaw_kernel *product;
    thaw_placement *packed;             /* of the input; NULL: it is not packed */
    size_t packed_bytes, product_bytes; /* of scratch, in this order */
} thaw_swapped_dense;

/* Makes the kernels for `problem`, whose `packed` is not read. On failure there are no kernels. */
thaw_status thaw_swapped_dense_create(thaw_context *context, const thaw_inner_product *problem,
                                      thaw_swapped_dense *swapped);
void thaw_swapped_dense_release(thaw_context *context, thaw_swapped_dense *swapped);

size_t thaw_swapped_dense_scratch_bytes(const thaw_swapped_dense *swapped);

/* Computes run->output from run->inputs[0]. `bias` may be NULL. */
thaw_status thaw_swapped_dense_run(const thaw_swapped_dense *swapped, const thaw_layer_run *run, const float *weight,
                                   const float *bias);

#endif
