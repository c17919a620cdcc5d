/* ReLU: max(x, 0). A convolution or dense layer before it may apply it. */
#include "layers/elementwise.h"

static thaw_status prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    return thaw_elementwise_prepare(demand, needs, THAW_ACTIVATION_RELU, 0);
}

static const thaw_layer_module module = {
    .name = "relu",
    .options_size = sizeof(thaw_simple_options),
    .activation = THAW_ACTIVATION_RELU,
    .bfloat16 = THAW_BFLOAT16_FOLLOWS,
    .build = thaw_elementwise_build,
    .prepare = prepare,
    .forward = thaw_elementwise_forward,
    .backward = thaw_elementwise_backward,
    .recompute = thaw_elementwise_forward,
    .release = thaw_elementwise_release,
};

thaw_status thaw_relu(thaw_model *model, thaw_node input, const thaw_simple_options *options, thaw_node *output)
{
    return thaw_elementwise_append(model, &module, input, options, output);
}
