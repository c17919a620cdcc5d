/* Layer normalisation: normalises each sample, or each row of its last dimensions. Ba et al. 2016, arXiv 1607.06450. */
#include <thaw/layer_capabilities.h>
#include <thaw/layer_module.h>
#include <thaw/layers.h>

#include "layers/normalisation.h"
#include "layers/row_normalisation.h"

/* The last dimensions, which are normalised together. */
static thaw_shape last_dimensions(const thaw_shape *input, int count)
{
    thaw_shape shape = { .rank = count };
    for (int i = 0; i < count; i++)
        shape.dims[i] = input->dims[input->rank - count + i];
    return shape;
}

static int chosen_dimensions(const thaw_layer_norm_options *o)
{
    return o->dimensions ? o->dimensions : 1;
}

static thaw_status build(thaw_layer_builder *builder, const void *options)
{
    const thaw_layer_norm_options *o = options;
    const thaw_shape *input = thaw_builder_input(builder, 0);
    const int dimensions = chosen_dimensions(o);
    char text[80];
    if (dimensions < 1)
        return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT, "dimensions is %d, must be at least 1", dimensions);
    if (dimensions > input->rank)
        return thaw_builder_fail(builder, THAW_SHAPE_MISMATCH,
                                 "the input has shape %s, must have at least %d dimensions",
                                 thaw_shape_format(input, text, sizeof text), dimensions);
    return thaw_normalisation_build(builder, &(thaw_normalisation){
                                                 .shape = last_dimensions(input, dimensions),
                                                 .epsilon = o->epsilon,
                                                 .no_affine = o->no_affine,
                                                 .no_bias = o->no_bias,
                                                 .initializer = o->initializer,
                                                 .bias_initializer = o->bias_initializer,
                                             });
}

static thaw_status prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    const thaw_layer_norm_options *o = demand->options;
    const thaw_shape last = last_dimensions(&demand->output, chosen_dimensions(o));
    return thaw_row_normalisation_prepare(demand, needs, THAW_ROWS_BY_DEVIATION, thaw_shape_count(&last),
                                          thaw_normalisation_epsilon(o->epsilon, o->use_epsilon));
}

static const thaw_layer_capabilities capabilities = {
    .size = sizeof(thaw_layer_capabilities),
    .bfloat16 = THAW_BFLOAT16_FOLLOWS,
};

static const thaw_layer_module module = {
    .size = sizeof(thaw_layer_module),
    .abi = THAW_LAYER_ABI,
    .name = "layer_norm",
    .options_size = sizeof(thaw_layer_norm_options),
    .capabilities = &capabilities,
    .build = build,
    .prepare = prepare,
    .forward = thaw_row_normalisation_forward,
    .backward = thaw_row_normalisation_backward,
    .recompute = thaw_row_normalisation_forward,
    .release = thaw_release,
    .export_onnx = thaw_layer_norm_export,
};

thaw_status thaw_layer_norm(thaw_model *model, thaw_node input, const thaw_layer_norm_options *options,
                            thaw_node *output)
{
    const thaw_layer_norm_options settings = options ? *options : (thaw_layer_norm_options){ 0 };
    return thaw_model_append(model, &module, settings.name, &input, 1, &settings, output);
}
