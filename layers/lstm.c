/* LSTM: runs lstm_cell.c for each step. */
#include <thaw/layer_capabilities.h>

#include "layers/recurrent.h"

static const thaw_layer_capabilities capabilities = {
    .size = sizeof(thaw_layer_capabilities),
    .bfloat16 = THAW_BFLOAT16_FROZEN,
};

static const thaw_layer_module module = {
    .size = sizeof(thaw_layer_module),
    .abi = THAW_LAYER_ABI,
    .name = "lstm",
    .options_size = sizeof(thaw_recurrent_node),
    .capabilities = &capabilities,
    .build = thaw_recurrent_build,
    .prepare = thaw_recurrent_prepare,
    .pack = thaw_recurrent_pack,
    .forward = thaw_recurrent_forward,
    .backward = thaw_recurrent_backward,
    .release = thaw_recurrent_release,
    .export_onnx = thaw_recurrent_export,
};

thaw_status thaw_lstm(thaw_model *model, thaw_node input, const thaw_recurrent_options *options, thaw_node *output)
{
    return thaw_recurrent_append(model, &module, THAW_CELL_LSTM, input, options, output);
}
