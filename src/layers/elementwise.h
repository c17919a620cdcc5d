/* What the element-wise activations share; each adds its name, its function and nothing else. */
#ifndef THAW_LAYERS_ELEMENTWISE_H
#define THAW_LAYERS_ELEMENTWISE_H

#include <thaw/layers.h>

#include "onednn/eltwise.h"

thaw_status thaw_elementwise_build(thaw_layer_builder *builder, const void *options);

/* `prepare` of a layer that applies `function`, with `slope` where it is RELU. */
thaw_status thaw_elementwise_prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs, thaw_activation function,
                                     double slope);

thaw_status thaw_elementwise_forward(const thaw_layer_run *run);
thaw_status thaw_elementwise_backward(const thaw_layer_run *run);
void thaw_elementwise_release(thaw_context *context, void *state);

/* Appends a layer whose options are a name. */
thaw_status thaw_elementwise_append(thaw_model *model, const thaw_layer_module *module, thaw_node input,
                                    const thaw_simple_options *options, thaw_node *output);

#endif
