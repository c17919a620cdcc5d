/* A channel map (thaw_epilogue) in the weight and bias of a layer: its kernels compute with s W and s b + t in place of
   W and b, and what they find as gradients of those is s times as much of W and b themselves. */
#ifndef THAW_LAYERS_FOLD_H
#define THAW_LAYERS_FOLD_H

#include <thaw/layer_capabilities.h>
#include <thaw/layer_module.h>

/* Of a layer whose parameters are a weight of `outputs` times `row` elements and, where there is one, a bias. */
typedef struct thaw_fold {
    size_t outputs, row;
    bool bias;
} thaw_fold;

size_t thaw_fold_weight_bytes(const thaw_fold *fold);
size_t thaw_fold_bias_bytes(const thaw_fold *fold);

void thaw_fold_weight(const thaw_fold *fold, const thaw_layer_run *run, float *folded);
void thaw_fold_bias(const thaw_fold *fold, const thaw_layer_run *run, float *folded);

/* Turns the gradients of what was folded, where they were computed, into those of the parameters. */
void thaw_fold_gradients(const thaw_fold *fold, const thaw_layer_run *run);

#endif
