/* A dense layer's forward pass with weight and input in each other's place: y = (W x^T)^T + b. oneDNN is fast when the
   second operand is packed; so it is the input that is packed, where that is the smaller one, and the weight is read as
   it stands. */
#ifndef THAW_LAYERS_SWAPPED_DENSE_H
#define THAW_LAYERS_SWAPPED_DENSE_H

#include <thaw/layer_module.h>

#include "onednn/inner_product.h"
#include "onednn/placement.h"

typedef struct thaw_swapped_dense {
    size_t batch, inputs, outputs;
    bool relu;
    thaw_kernel *product;
    thaw_placement *packed;             /* of the input; NULL: it is read as it stands */
    size_t packed_bytes, product_bytes; /* of scratch, in this order */
} thaw_swapped_dense;

/* Makes the kernels for `problem`, of which `packed` is not read. On failure nothing is left. */
thaw_status thaw_swapped_dense_create(thaw_context *context, const thaw_inner_product *problem,
                                      thaw_swapped_dense *swapped);
void thaw_swapped_dense_release(thaw_context *context, thaw_swapped_dense *swapped);

size_t thaw_swapped_dense_scratch_bytes(const thaw_swapped_dense *swapped);

/* run->output from run->inputs[0]; `bias` may be NULL. */
thaw_status thaw_swapped_dense_run(const thaw_swapped_dense *swapped, const thaw_layer_run *run, const float *weight,
                                   const float *bias);

#endif
