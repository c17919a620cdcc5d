#include "models/text.h"

#include <thaw/runtime.h>

enum { USUAL_LENGTH = 128 };

int64_t thaw_text_length(const thaw_text_options *options)
{
    if (options->length)
        return options->length;
    return options->positions < USUAL_LENGTH ? options->positions : USUAL_LENGTH;
}

static thaw_status append_sequence(thaw_model *model, const char *name, bool optional, const thaw_text_options *options,
                                   thaw_node *node)
{
    const thaw_input_options sequence = { .name = name,
                                          .dtype = THAW_I32,
                                          .shape = { 1, { thaw_text_length(options) } },
                                          .sequence = true,
                                          .optional = optional };
    return thaw_named_input(model, &sequence, node);
}

thaw_status thaw_append_text_inputs(thaw_model *model, const thaw_text_options *options, bool has_types,
                                    thaw_text_inputs *inputs)
{
    const thaw_input_options lengths = { .name = "lengths", .dtype = THAW_I32, .lengths = true };
    if (options->length > options->positions)
        return thaw_fail(thaw_model_context(model), THAW_INVALID_ARGUMENT,
                         "length is %lld, must be at most %lld, the positions", (long long)options->length,
                         (long long)options->positions);
    *inputs = (thaw_text_inputs){ .has_types = has_types };
    thaw_status status = append_sequence(model, "token_ids", false, options, &inputs->ids);
    if (status == THAW_OK)
        status = thaw_named_input(model, &lengths, &inputs->lengths);
    if (status == THAW_OK && has_types)
        status = append_sequence(model, "token_types", true, options, &inputs->types);
    return status;
}

thaw_status thaw_append_table(thaw_model *model, const char *name, int64_t rows, const thaw_text_options *options,
                              bool pads, thaw_node *node)
{
    return thaw_embedding(model, *node,
                          &(thaw_embedding_options){ .name = name,
                                                     .rows = rows,
                                                     .width = options->width,
                                                     .use_padding_id = pads,
                                                     .initializer = THAW_INITIAL_TRANSFORMER },
                          node);
}

thaw_status thaw_append_places(thaw_model *model, const char *name, const thaw_text_options *options, thaw_node *node)
{
    return thaw_positions(model, *node, &(thaw_positions_options){ .name = name, .rows = options->positions }, node);
}

thaw_status thaw_append_text_dense(thaw_model *model, const char *name, int64_t units, bool transposed, thaw_node *node)
{
    return thaw_dense(model, *node,
                      &(thaw_dense_options){ .name = name,
                                             .units = units,
                                             .transposed = transposed,
                                             .initializer = THAW_INITIAL_TRANSFORMER,
                                             .bias_initializer = THAW_INITIAL_ZERO },
                      node);
}

thaw_status thaw_append_text_norm(thaw_model *model, const char *name, const thaw_text_options *options,
                                  thaw_node *node)
{
    const thaw_layer_norm_options norm = { .name = name, .epsilon = options->epsilon, .use_epsilon = true };
    return thaw_layer_norm(model, *node, &norm, node);
}

thaw_status thaw_append_text_activation(thaw_model *model, const char *name, const thaw_text_options *options,
                                        thaw_node *node)
{
    const thaw_simple_options named = { .name = name };
    if (options->activation == THAW_TEXT_GELU_TANH)
        return thaw_gelu_tanh(model, *node, &named, node);
    if (options->activation == THAW_TEXT_RELU)
        return thaw_relu(model, *node, &named, node);
    return thaw_gelu(model, *node, &named, node);
}

thaw_status thaw_append_text_dropout(thaw_model *model, const thaw_text_options *options, thaw_node *node)
{
    if (!(options->hidden_dropout > 0))
        return THAW_OK;
    return thaw_dropout(model, *node, &(thaw_dropout_options){ .rate = options->hidden_dropout }, node);
}

thaw_status thaw_append_text_pooling(thaw_model *model, const thaw_text_options *options,
                                     const thaw_text_inputs *inputs, thaw_node *node)
{
    if (options->pooling != THAW_POOLING_MEAN)
        return thaw_slice(model, *node, &(thaw_slice_options){ .count = 1, .squeeze = true }, node);
    return thaw_sequence_mean(model, *node, &(thaw_sequence_mean_options){ .lengths = &inputs->lengths }, node);
}
