/* What a layer module declares while its layer is built. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/context.h"
#include "graph/model.h"

size_t thaw_builder_input_count(const thaw_layer_builder *builder)
{
    return builder->input_count;
}

const thaw_shape *thaw_builder_input(const thaw_layer_builder *builder, size_t index)
{
    const thaw_node input = builder->inputs[index];
    return builder->shapes ? &builder->shapes[input] : &builder->model->nodes[input].output;
}

thaw_context *thaw_builder_context(const thaw_layer_builder *builder)
{
    return builder->model->context;
}

static thaw_status compare_parameter(thaw_layer_builder *builder, const thaw_parameter_specification *specification)
{
    const thaw_group *group = builder->node->group;
    const size_t index = builder->compared++;
    const thaw_shape none = { 0 },
                     *shape = group && index < group->parameter_count ? &group->parameters[index]->shape : &none;
    char texts[2][80];
    if (shape != &none && thaw_shape_equal(shape, &specification->shape))
        return THAW_OK;
    return thaw_builder_fail(builder, THAW_SHAPE_MISMATCH,
                             "sequences must have their whole length here: \"%s\" would have shape %s, but has %s",
                             specification->name, thaw_shape_format(&specification->shape, texts[0], sizeof texts[0]),
                             thaw_shape_format(shape, texts[1], sizeof texts[1]));
}

thaw_status thaw_builder_parameter(thaw_layer_builder *builder, const thaw_parameter_specification *specification)
{
    thaw_graph_node *node = builder->node;
    if (builder->shapes)
        return compare_parameter(builder, specification);
    if (!thaw_shape_usable(&specification->shape, 1))
        return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT,
                                 "parameter \"%s\" is too large, or has a dimension below 1", specification->name);
    const char *error =
        thaw_initializer_error(specification->initializer, specification->fan_in, specification->fan_out);
    if (error)
        return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT, "parameter \"%s\" %s", specification->name, error);
    if (!node->group) {
        const thaw_status status = thaw_set_add_group(&builder->model->parameters, builder->name, &node->group);
        if (status != THAW_OK)
            return status;
    }
    return thaw_set_add_parameter(&builder->model->parameters, specification, (uint32_t)builder->model->node_count);
}

thaw_status thaw_builder_output(thaw_layer_builder *builder, const thaw_shape *shape)
{
    if (!thaw_shape_usable(shape, 1))
        return thaw_builder_fail(builder, THAW_SHAPE_MISMATCH,
                                 "the output would be too large, or have a dimension below 1");
    builder->node->output = *shape;
    builder->has_output = true;
    return THAW_OK;
}

/* Whether there is a row of scores for each label. */
static bool has_scores(const thaw_shape *scores, const thaw_shape *labels)
{
    return scores->rank == labels->rank + 1 &&
           memcmp(scores->dims, labels->dims, (size_t)labels->rank * sizeof *labels->dims) == 0;
}

thaw_status thaw_builder_target(thaw_layer_builder *builder, thaw_dtype dtype, const thaw_shape *shape)
{
    if (dtype != THAW_F32 && dtype != THAW_I32)
        return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT, "targets must be labels or floats");
    if (!thaw_shape_usable(shape, 1))
        return thaw_builder_fail(builder, THAW_SHAPE_MISMATCH,
                                 "a target would be too large, or have a dimension below 1");
    if (dtype == THAW_I32 && shape->rank > 0 && !has_scores(thaw_builder_input(builder, 0), shape))
        return thaw_builder_fail(builder, THAW_SHAPE_MISMATCH,
                                 "input 0 must have the labels' shape and a last dimension of classes");
    builder->node->target_dtype = dtype;
    builder->node->target = *shape;
    builder->node->targeted = true;
    return THAW_OK;
}

void thaw_builder_ignore_label(thaw_layer_builder *builder, int32_t label)
{
    builder->node->ignores = true;
    builder->node->ignored_label = label;
}

void thaw_builder_sum_loss(thaw_layer_builder *builder)
{
    builder->node->sums = true;
}

void thaw_builder_flops(thaw_layer_builder *builder, double flops)
{
    builder->node->flops = flops;
}

void thaw_builder_follow_batches(thaw_layer_builder *builder, bool when_frozen)
{
    builder->node->tracking = when_frozen ? THAW_TRACKS_ALWAYS : THAW_TRACKS_TRAINED;
}

void thaw_builder_draw(thaw_layer_builder *builder, bool when_frozen)
{
    builder->node->draws = true;
    builder->node->draws_when_frozen = when_frozen;
}

thaw_status thaw_builder_fail(thaw_layer_builder *builder, thaw_status status, const char *format, ...)
{
    char message[THAW_MESSAGE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    return thaw_fail(builder->model->context, status, "%s: %s", builder->name, message);
}
