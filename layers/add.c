/* The sum of two nodes. */
#include <thaw/layer_capabilities.h>

#include "layers/arithmetic.h"

static thaw_status prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    return thaw_arithmetic_prepare(demand, needs, THAW_BINARY_SUM);
}

static thaw_status export_onnx(const thaw_layer_export *layer)
{
    return thaw_arithmetic_export(layer, "Add");
}

static const thaw_layer_capabilities capabilities = {
    .size = sizeof(thaw_layer_capabilities),
    .adds = true,
    .bfloat16 = THAW_BFLOAT16_FOLLOWS,
    .takes_bfloat16 = thaw_arithmetic_takes_bfloat16,
};

static const thaw_layer_module module = {
    .size = sizeof(thaw_layer_module),
    .abi = THAW_LAYER_ABI,
    .name = "add",
    .options_size = sizeof(thaw_simple_options),
    .capabilities = &capabilities,
    .build = thaw_arithmetic_build,
    .prepare = prepare,
    .forward = thaw_arithmetic_forward,
    .backward = thaw_arithmetic_backward,
    .release = thaw_arithmetic_release,
    .export_onnx = export_onnx,
};

thaw_status thaw_add(thaw_model *model, thaw_node left, thaw_node right, const thaw_simple_options *options,
                     thaw_node *output)
{
    return thaw_arithmetic_append(model, &module, left, right, options, output);
}
