/* A channel map (thaw_epilogue) in the weight and bias of a layer. Its kernels compute with s W and s b + t instead
   of W and b. The gradients of W and b are s times those that the kernels find. */
#ifndef THAW_LAYERS_FOLD_H
#define THAW_LAYERS_FOLD_H

#include <thaw/layer_capabilities.h>
#include <thaw/layer_module.h>

/* A layer whose parameters are a weight of `outputs` times `row` elements and possibly a bias. */
typedef struct thaw_fold {
    size_t outputs, row;
    bool bias;
} thaw_fold;

size_t thaw_fold_weight_bytes(const thaw_fold *fold);
size_t thaw_fold_bias_bytes(const thaw_fold *fold);

void thaw_fold_weight(const thaw_fold *fold, const thaw_layer_run *run, float *folded);
void thaw_fold_bias(const thaw_fold *fold, const thaw_layer_run *run, float *folded);

/* Turns the gradients of the folded weight and bias, if they were computed, into those of the parameters. */
void thaw_fold_gradients(const thaw_fold *fold, const thaw_layer_run *run);

#endif
