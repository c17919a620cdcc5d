/* What softmax and log_softmax share. */
#ifndef THAW_LAYERS_SOFTMAX_ROWS_H
#define THAW_LAYERS_SOFTMAX_ROWS_H

#include <thaw/layers.h>

thaw_status thaw_softmax_rows_build(thaw_layer_builder *builder, const void *options);
thaw_status thaw_softmax_rows_prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs, bool logarithm);
thaw_status thaw_softmax_rows_run_forward(const thaw_layer_run *run);
thaw_status thaw_softmax_rows_run_backward(const thaw_layer_run *run);
void thaw_softmax_rows_release(thaw_context *context, void *state);

#endif
