/* GELU: x times the normal distribution function of x. Hendrycks & Gimpel 2016, arXiv 1606.08415. */
#include "layers/elementwise.h"

static thaw_status prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    return thaw_elementwise_prepare(demand, needs, THAW_ACTIVATION_GELU, 0);
}

static const thaw_layer_module module = {
    .name = "gelu",
    .options_size = sizeof(thaw_simple_options),
    .activation = THAW_ACTIVATION_GELU,
    .bfloat16 = THAW_BFLOAT16_FOLLOWS,
    .build = thaw_elementwise_build,
    .prepare = prepare,
    .forward = thaw_elementwise_forward,
    .backward = thaw_elementwise_backward,
    .recompute = thaw_elementwise_forward,
    .release = thaw_elementwise_release,
};

thaw_status thaw_gelu(thaw_model *model, thaw_node input, const thaw_simple_options *options, thaw_node *output)
{
    return thaw_elementwise_append(model, &module, input, options, output);
}
