/* The product of two nodes, element by element. */
#include "layers/pairing.h"

static thaw_status prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    return thaw_pairing_prepare(demand, needs, THAW_PAIR_PRODUCT);
}

static const thaw_layer_module module = {
    .size = sizeof(thaw_layer_module),
    .abi = THAW_LAYER_ABI,
    .name = "multiply",
    .options_size = sizeof(thaw_simple_options),
    .bfloat16 = THAW_BFLOAT16_FOLLOWS,
    .takes_bfloat16 = thaw_pairing_takes_bfloat16,
    .build = thaw_pairing_build,
    .prepare = prepare,
    .forward = thaw_pairing_forward,
    .backward = thaw_pairing_backward,
    .release = thaw_pairing_release,
};

thaw_status thaw_multiply(thaw_model *model, thaw_node left, thaw_node right, const thaw_simple_options *options,
                          thaw_node *output)
{
    return thaw_pairing_append(model, &module, left, right, options, output);
}
