/* Shared by add, subtract and multiply, each of which adds only its name and its operation. */
#ifndef THAW_LAYERS_ARITHMETIC_H
#define THAW_LAYERS_ARITHMETIC_H

#include <thaw/layer_capabilities.h>
#include <thaw/layer_module.h>
#include <thaw/layers.h>

#include "kernels/pairwise.h"

/* True for operands of one shape, which oneDNN's kernels need. */
bool thaw_arithmetic_takes_bfloat16(const void *options, const thaw_shape *inputs, size_t input_count);

thaw_status thaw_arithmetic_build(thaw_layer_builder *builder, const void *options);
thaw_status thaw_arithmetic_prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs, thaw_binary_kind kind);
thaw_status thaw_arithmetic_forward(const thaw_layer_run *run);
thaw_status thaw_arithmetic_backward(const thaw_layer_run *run);
void thaw_arithmetic_release(thaw_context *context, void *state);

/* Exports the layer as this operator of ONNX. */
thaw_status thaw_arithmetic_export(const thaw_layer_export *layer, const char *kind);

thaw_status thaw_arithmetic_append(thaw_model *model, const thaw_layer_module *module, thaw_node left, thaw_node right,
                                   const thaw_simple_options *options, thaw_node *output);

#endif
