/* Layer normalisation: of each sample, or of each row of its last dimensions. Ba et al. 2016, arXiv 1607.06450. */
#include <thaw/layers.h>

#include "normalisation.h"

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
        return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT, "dimensions is %d, wanted at least 1", dimensions);
    if (dimensions > input->rank)
        return thaw_builder_fail(builder, THAW_SHAPE_MISMATCH, "the input has shape %s, wanted %d dimensions or more",
                                 thaw_shape_format(input, text, sizeof text), dimensions);
    return thaw_normalisation_build(builder, &(thaw_normalisation_parameters){
                                                 .shape = last_dimensions(input, dimensions),
                                                 .epsilon = o->epsilon,
                                                 .no_affine = o->no_affine,
                                                 .no_bias = o->no_bias,
                                             });
}

static thaw_status prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    const thaw_layer_norm_options *o = demand->options;
    const thaw_shape last = last_dimensions(&demand->output, chosen_dimensions(o));
    const size_t channels = thaw_shape_count(&last);
    const thaw_normalisation problem = {
        .samples = (size_t)demand->batch * (thaw_shape_count(&demand->output) / channels),
        .places = 1,
        .channels = channels,
        .groups = 1,
        .epsilon = o->epsilon,
    };
    return thaw_normalisation_prepare(demand, &problem, needs);
}

static const thaw_layer_module module = {
    .name = "layer_norm",
    .options_size = sizeof(thaw_layer_norm_options),
    .build = build,
    .prepare = prepare,
    .forward = thaw_normalisation_forward,
    .backward = thaw_normalisation_backward,
    .release = thaw_normalisation_release,
};

thaw_status thaw_layer_norm(thaw_model *model, thaw_node input, const thaw_layer_norm_options *options,
                            thaw_node *output)
{
    const thaw_layer_norm_options chosen = options ? *options : (thaw_layer_norm_options){ 0 };
    return thaw_model_append(model, &module, chosen.name, &input, 1, &chosen, output);
}
