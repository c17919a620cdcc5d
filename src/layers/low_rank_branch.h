/* A low-rank change s B A to the weight of a dense or convolutional layer (thaw_low_rank_demand), by products with
   activations of few channels: u = s A x, and t = s B^T dy. Then dB = dy u^T and dA = t x^T. If the change is beside
   the weight, also y += B u and dx += A^T t. Hu et al. 2021, arXiv 2106.09685. */
#ifndef THAW_LAYERS_LOW_RANK_BRANCH_H
#define THAW_LAYERS_LOW_RANK_BRANCH_H

#include <thaw/layer_capabilities.h>
#include <thaw/layer_module.h>

#include "onednn/convolution.h"
#include "onednn/inner_product.h"

typedef struct thaw_low_rank_branch thaw_low_rank_branch;

/* What the layer asks for. Its kernels take x as a matrix, or as images. */
typedef struct thaw_low_rank_branch_problem {
    thaw_low_rank_demand demand;
    size_t rows, outputs;                /* of the layer's output as a matrix */
    size_t input_count;                  /* floats of its input, of the whole batch */
    bool input_gradient;                 /* of the layer */
    thaw_activation activation;          /* to apply to its output */
    const thaw_inner_product *dense;     /* of the layer, or NULL */
    const thaw_convolution *convolution; /* of the layer, if `dense` is NULL */
} thaw_low_rank_branch_problem;

/* Errors: THAW_OUT_OF_MEMORY, and oneDNN's. */
thaw_status thaw_low_rank_branch_create(thaw_context *context, const thaw_low_rank_branch_problem *problem,
                                        thaw_low_rank_branch **made);
void thaw_low_rank_branch_release(thaw_context *context, thaw_low_rank_branch *branch); /* NULL is allowed */

size_t thaw_low_rank_branch_scratch_bytes(const thaw_low_rank_branch *branch);   /* 0 for NULL */
size_t thaw_low_rank_branch_workspace_bytes(const thaw_low_rank_branch *branch); /* 0 for NULL */
bool thaw_low_rank_branch_keeps_input(const thaw_low_rank_branch *branch);       /* false for NULL */

/* Adds the change to run->output, after the layer's own kernel has written it, and applies the activation. */
thaw_status thaw_low_rank_branch_forward(const thaw_low_rank_branch *branch, const thaw_layer_run *run);

/* Writes the gradients of the factors. Adds to the input's gradient, after the layer's own kernel has written it. */
thaw_status thaw_low_rank_branch_backward(const thaw_low_rank_branch *branch, const thaw_layer_run *run);

#endif
