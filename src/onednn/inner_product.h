/* Dense-layer kernels over [batch, inputs] and [batch, outputs]. Weights are PyTorch's [outputs, inputs] or, if the
   relayout pays, a packed copy: in another layout, in another precision, or both. */
#ifndef THAW_ONEDNN_INNER_PRODUCT_H
#define THAW_ONEDNN_INNER_PRODUCT_H

#include "onednn/kernel.h"

typedef struct thaw_inner_product {
    int64_t batch, inputs, outputs;
    thaw_dtype precision; /* of all but the bias and the weights' gradients; THAW_BF16 needs packed weights */
    bool bias;
    thaw_after after; /* of forward */
    bool training;    /* forward: the kernel of training instead of inference */
    bool packed;      /* let the kernel choose the layout of its weights */
    bool transposed;  /* weights are stored as [inputs, outputs] */
} thaw_inner_product;

/* SOURCE, WEIGHTS, BIAS, RESIDUAL -> DESTINATION. *pack (SOURCE: [outputs, inputs] -> DESTINATION: the kernel's
   weights) is NULL if the layouts agree. If `pack` is NULL, the caller packs. */
thaw_status thaw_inner_product_forward(thaw_context *context, const thaw_inner_product *problem, thaw_kernel **kernel,
                                       thaw_kernel **pack);

/* DESTINATION_GRADIENT, WEIGHTS -> SOURCE_GRADIENT. *pack is as for forward. If `pack` is NULL, weights are not
   packed, whatever the problem says. */
thaw_status thaw_inner_product_backward_data(thaw_context *context, const thaw_inner_product *problem,
                                             thaw_kernel **kernel, thaw_kernel **pack);

/* SOURCE, DESTINATION_GRADIENT -> WEIGHTS_GRADIENT, in PyTorch's layout. */
thaw_status thaw_inner_product_backward_weights(thaw_context *context, const thaw_inner_product *problem,
                                                thaw_kernel **kernel);

#endif
