/* Layers that multiply by a weight, parameter 0, and may add a bias, parameter 1. Dense and convolutional layers
   make their kernels. Everything that runs them is here: copies of the weight, epilogues, low-rank changes,
   gradients. */
#ifndef THAW_LAYERS_WEIGHTED_H
#define THAW_LAYERS_WEIGHTED_H

#include "layers/low_rank_branch.h"
#include "layers/weight_copies.h"
#include "layers/weight_gradient.h"

/* ---- building ---- */

typedef struct thaw_weighted_parameters {
    thaw_shape weight; /* in PyTorch's layout */
    int64_t outputs;   /* elements of the bias */
    double fan_in, fan_out;
    thaw_initializer initializer, bias_initializer;
    bool no_bias, transposed;
} thaw_weighted_parameters;

/* Registers the weight and the bias. */
thaw_status thaw_weighted_register(thaw_layer_builder *builder, const thaw_weighted_parameters *parameters);

/* Checks the filters of a convolution, and that its groups divide them and its channels. */
thaw_status thaw_weighted_check_groups(thaw_layer_builder *builder, int64_t groups, int64_t channels, int64_t filters);

/* Whether the layer's low-rank change, if any, allows this epilogue. */
bool thaw_weighted_takes_epilogue(const thaw_layer_demand *demand);

/* ---- preparing ---- */

/* The state of a layer, or its first member. */
typedef struct thaw_weighted {
    size_t rows, outputs; /* of the output as a matrix */
    thaw_dtype precision;
    bool bias, bias_trains;
    bool sums_bias; /* the bias trains, and no kernel sums its gradient */
    thaw_residual residual;
    bool transposed; /* set by a layer whose forward kernel is backward data of a convolution, and the reverse */

    /* The layer makes these, and copies.pack_forward and copies.pack_backward. */
    thaw_kernel *forward, *backward_data; /* forward NULL: the layer computes without it */
    bool copies_residual;                 /* into the output, before forward's kernel runs */
    thaw_weight_gradient gradient;
    thaw_weight_copies copies;    /* that forward and backward_data read */
    thaw_low_rank_branch *branch; /* a change to the weight, or NULL */
} thaw_weighted;

/* Fills in what follows from the demand alone. Call it before making the kernels. */
void thaw_weighted_begin(const thaw_layer_demand *demand, thaw_weighted *weighted);

/* Makes what a low-rank change needs, if there is one. `dense` or `convolution` is the layer's problem, and the
   other is NULL. Errors: THAW_OUT_OF_MEMORY, and oneDNN's. */
thaw_status thaw_weighted_create_branch(const thaw_layer_demand *demand, const thaw_inner_product *dense,
                                        const thaw_convolution *convolution, thaw_weighted *weighted);

/* Call it after making the kernels: places the copies of the weight, and fills `needs`, with `weighted` as its
   state. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_weighted_end(const thaw_layer_demand *demand, thaw_weighted *weighted, thaw_layer_needs *needs);

/* ---- the module's functions; `state` is a thaw_weighted from thaw_allocate, possibly incomplete ---- */

void thaw_weighted_release(thaw_context *context, void *state);
thaw_status thaw_weighted_pack(const thaw_layer_run *run);
bool thaw_weighted_packs_alike(const void *state, const void *other);
void thaw_weighted_unpack(const thaw_layer_run *run, size_t parameter, size_t first, size_t count, float *values);
thaw_status thaw_weighted_forward(const thaw_layer_run *run);
thaw_status thaw_weighted_backward(const thaw_layer_run *run);

/* Ends forward for layers that compute without the kernel: adds a low-rank change. */
thaw_status thaw_weighted_add_branch(const thaw_weighted *weighted, const thaw_layer_run *run);

#endif
