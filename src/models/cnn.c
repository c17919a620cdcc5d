/* A plain CNN by options: convolutions with max-pooling, then dense layers. */
#include <stdio.h>

#include "models/head.h"
#include "models/layer_stack.h"

static thaw_status append_pool(thaw_model *model, thaw_node *node)
{
    const thaw_shape *shape = thaw_model_node_shape(model, *node);
    if (shape->dims[0] < 2 || shape->dims[1] < 2)
        return THAW_OK;
    return thaw_max_pool2d(model, *node, &(thaw_pool2d_options){ .kernel = { 2, 2 } }, node);
}

static thaw_status append_block(thaw_model *model, const thaw_network_options *options, size_t number, thaw_node *node)
{
    char name[32];
    snprintf(name, sizeof name, "conv%zu", number);
    thaw_status status = thaw_conv2d(model, *node,
                                     &(thaw_conv2d_options){ .name = name,
                                                             .filters = options->channels.items[number - 1],
                                                             .kernel = { options->kernel, options->kernel },
                                                             .same = true,
                                                             .no_bias = options->norm != THAW_NORM_NONE },
                                     node);
    if (status == THAW_OK)
        status = thaw_append_layer_end(model, options, number, node);
    return status == THAW_OK ? append_pool(model, node) : status;
}

static thaw_status build(thaw_model *model, const thaw_network_options *options, thaw_node *node)
{
    thaw_status status = THAW_OK;
    for (size_t i = 0; i < options->channels.count && status == THAW_OK; i++)
        status = append_block(model, options, i + 1, node);
    if (status == THAW_OK)
        status = options->averages ? thaw_global_average_pool2d(model, *node, NULL, node)
                                   : thaw_flatten(model, *node, NULL, node);
    if (status == THAW_OK && options->hidden.count)
        status = thaw_append_network_dropout(model, options, node);
    return status == THAW_OK ? thaw_append_hidden_layers(model, options, options->channels.count, node) : status;
}

const thaw_network thaw_network_cnn = {
    .entry = { .name = "cnn",
               .description = "convolutions: channels=16x32, and the options of mlp",
               .classes = 10,
               .sample_shape = { .rank = 3, .dims = { 28, 28, 1 } },
               .parameters = 20490,
               .head = "head" },
    .takes = THAW_TAKES_LAYERS | THAW_TAKES_CHANNELS,
    .channels = { .count = 2, .items = { 16, 32 } },
    .build = build,
};
