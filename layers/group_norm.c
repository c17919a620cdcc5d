/* Group normalisation: of groups of a sample's channels. Wu & He 2018, arXiv 1803.08494. */
#include <thaw/layers.h>

#include "normalisation.h"

static thaw_status build(thaw_layer_builder *builder, const void *options)
{
    const thaw_group_norm_options *o = options;
    const thaw_shape *input = thaw_builder_input(builder, 0);
    if (input->rank < 1)
        return thaw_builder_fail(builder, THAW_SHAPE_MISMATCH, "the input is a number, wanted [..., channels]");
    const int64_t channels = input->dims[input->rank - 1];
    if (o->groups < 1 || channels % o->groups)
        return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT, "groups is %lld, which does not divide %lld channels",
                                 (long long)o->groups, (long long)channels);
    return thaw_normalisation_build(builder, &(thaw_normalisation_parameters){
                                                 .shape = { 1, { channels } },
                                                 .epsilon = o->epsilon,
                                                 .no_affine = o->no_affine,
                                             });
}

static thaw_status prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    const thaw_group_norm_options *o = demand->options;
    const size_t channels = (size_t)demand->output.dims[demand->output.rank - 1];
    const thaw_normalisation problem = {
        .samples = (size_t)demand->batch,
        .places = thaw_shape_count(&demand->output) / channels,
        .channels = channels,
        .groups = (size_t)o->groups,
        .epsilon = o->epsilon,
    };
    return thaw_normalisation_prepare(demand, &problem, needs);
}

static const thaw_layer_module module = {
    .name = "group_norm",
    .options_size = sizeof(thaw_group_norm_options),
    .build = build,
    .prepare = prepare,
    .forward = thaw_normalisation_forward,
    .backward = thaw_normalisation_backward,
    .release = thaw_normalisation_release,
};

thaw_status thaw_group_norm(thaw_model *model, thaw_node input, const thaw_group_norm_options *options,
                            thaw_node *output)
{
    const thaw_group_norm_options chosen = options ? *options : (thaw_group_norm_options){ 0 };
    return thaw_model_append(model, &module, chosen.name, &input, 1, &chosen, output);
}
