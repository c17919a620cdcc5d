/* Leaky ReLU: x, or slope * x where x is negative. */
#include <math.h>

#include "layers/elementwise.h"

static double slope_of(const thaw_leaky_relu_options *options)
{
    return options->negative_slope != 0 ? options->negative_slope : 0.01;
}

static thaw_status build(thaw_layer_builder *builder, const void *options)
{
    const double slope = slope_of(options);
    if (!isfinite(slope))
        return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT, "negative_slope is %g, wanted a finite number", slope);
    return thaw_elementwise_build(builder, options);
}

static thaw_status prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    return thaw_elementwise_prepare(demand, needs, THAW_ACTIVATION_RELU, slope_of(demand->options));
}

static const thaw_layer_module module = {
    .name = "leaky_relu",
    .options_size = sizeof(thaw_leaky_relu_options),
    .bfloat16 = THAW_BFLOAT16_FOLLOWS,
    .build = build,
    .prepare = prepare,
    .forward = thaw_elementwise_forward,
    .backward = thaw_elementwise_backward,
    .recompute = thaw_elementwise_forward,
    .release = thaw_elementwise_release,
};

thaw_status thaw_leaky_relu(thaw_model *model, thaw_node input, const thaw_leaky_relu_options *options,
                            thaw_node *output)
{
    const thaw_leaky_relu_options chosen = options ? *options : (thaw_leaky_relu_options){ 0 };
    return thaw_model_append(model, &module, chosen.name, &input, 1, &chosen, output);
}
