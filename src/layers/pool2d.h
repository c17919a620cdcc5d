/* What the pooling layers share. */
#ifndef THAW_LAYERS_POOL2D_H
#define THAW_LAYERS_POOL2D_H

#include <thaw/layer_capabilities.h>
#include <thaw/layer_module.h>
#include <thaw/layers.h>

#include "layers/window.h"
#include "onednn/pooling.h"

/* A pair of kernels; backward is NULL where nobody wants it. */
typedef struct thaw_pool {
    thaw_kernel *forward, *backward;
} thaw_pool;

/* The options' window, not fitted yet. */
thaw_window thaw_pool_window(const thaw_pool2d_options *options);

/* `build` of a layer with such options. */
thaw_status thaw_pool_build(thaw_layer_builder *builder, const thaw_pool2d_options *options);

/* Makes the kernels that are demanded, and fills `needs` but for the state. On failure nothing is left. */
thaw_status thaw_pool_create(const thaw_layer_demand *demand, thaw_window window, thaw_pooling_kind kind,
                             thaw_pool *pool, thaw_layer_needs *needs);
void thaw_pool_release(thaw_context *context, thaw_pool *pool);

thaw_status thaw_pool_forward(const thaw_pool *pool, const thaw_layer_run *run);

/* `gradient` stands for run->output_gradient, `scratch` for run->scratch. */
thaw_status thaw_pool_backward(const thaw_pool *pool, const thaw_layer_run *run, const float *gradient, void *scratch);

#endif
