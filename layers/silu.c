/* SiLU, or swish: x sigmoid(x). Elfwing et al. 2017, arXiv 1702.03118. */
#include "layers/elementwise.h"

static thaw_status prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    return thaw_elementwise_prepare(demand, needs, THAW_ACTIVATION_SILU, 0);
}

static const thaw_layer_module module = {
    .name = "silu",
    .options_size = sizeof(thaw_simple_options),
    .activation = THAW_ACTIVATION_SILU,
    .bfloat16 = THAW_BFLOAT16_FOLLOWS,
    .build = thaw_elementwise_build,
    .prepare = prepare,
    .forward = thaw_elementwise_forward,
    .backward = thaw_elementwise_backward,
    .recompute = thaw_elementwise_forward,
    .release = thaw_elementwise_release,
};

thaw_status thaw_silu(thaw_model *model, thaw_node input, const thaw_simple_options *options, thaw_node *output)
{
    return thaw_elementwise_append(model, &module, input, options, output);
}
