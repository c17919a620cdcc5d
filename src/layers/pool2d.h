/* Shared by the pooling layers. */
#ifndef THAW_LAYERS_POOL2D_H
#define THAW_LAYERS_POOL2D_H

#include <thaw/layer_capabilities.h>
#include <thaw/layer_module.h>
#include <thaw/layers.h>

#include "layers/kernel_pair.h"
#include "layers/window.h"
#include "onednn/pooling.h"

/* The window of the options, before thaw_window_fit. */
thaw_window thaw_pool_window(const thaw_pool2d_options *options);

/* `build` of a layer with these options. */
thaw_status thaw_pool_build(thaw_layer_builder *builder, const thaw_pool2d_options *options);

/* Makes the kernels that are demanded, and fills `needs` except for its state. On failure there are no kernels. */
thaw_status thaw_pool_create(const thaw_layer_demand *demand, thaw_window window, thaw_pooling_kind kind,
                             thaw_kernel_pair *kernels, thaw_layer_needs *needs);

thaw_status thaw_pool_forward(const thaw_kernel_pair *kernels, const thaw_layer_run *run);

/* Takes `gradient` and `scratch` in place of run->output_gradient and run->scratch. */
thaw_status thaw_pool_backward(const thaw_kernel_pair *kernels, const thaw_layer_run *run, const float *gradient,
                               void *scratch);

/* For exporting: pads the height and width of images [N, C, H, W] with a value, before and after. */
thaw_onnx_value *thaw_pool_export_padding(const thaw_layer_export *layer, thaw_onnx_value *x, const int64_t before[2],
                                          const int64_t after[2], double value);

#endif
