#include "models/layer_stack.h"

#include <stdio.h>

#include "models/head.h"

static thaw_status append_norm(thaw_model *model, thaw_norm norm, const char *name, thaw_node *node)
{
    if (norm == THAW_NORM_BATCH)
        return thaw_batch_norm(model, *node, &(thaw_batch_norm_options){ .name = name }, node);
    if (norm == THAW_NORM_LAYER) /* over all positions and channels of a sample, as [C, H, W] in PyTorch */
        return thaw_group_norm(model, *node, &(thaw_group_norm_options){ .name = name, .groups = 1 }, node);
    return THAW_OK;
}

static thaw_status append_activation(thaw_model *model, thaw_hidden_function activation, thaw_node *node)
{
    switch (activation) {
    case THAW_HIDDEN_RELU6:
        return thaw_relu6(model, *node, NULL, node);
    case THAW_HIDDEN_LEAKY_RELU:
        return thaw_leaky_relu(model, *node, NULL, node);
    case THAW_HIDDEN_GELU:
        return thaw_gelu(model, *node, NULL, node);
    case THAW_HIDDEN_SILU:
        return thaw_silu(model, *node, NULL, node);
    case THAW_HIDDEN_TANH:
        return thaw_tanh(model, *node, NULL, node);
    case THAW_HIDDEN_SIGMOID:
        return thaw_sigmoid(model, *node, NULL, node);
    case THAW_HIDDEN_RELU:
    default:
        return thaw_relu(model, *node, NULL, node);
    }
}

thaw_status thaw_append_layer_end(thaw_model *model, const thaw_network_options *options, size_t number,
                                  thaw_node *node)
{
    char name[32];
    snprintf(name, sizeof name, "norm%zu", number);
    const thaw_status status = append_norm(model, options->norm, name, node);
    return status == THAW_OK ? append_activation(model, options->activation, node) : status;
}

thaw_status thaw_append_hidden_layers(thaw_model *model, const thaw_network_options *options, size_t before,
                                      thaw_node *node)
{
    thaw_status status = THAW_OK;
    for (size_t i = 0; i < options->hidden.count && status == THAW_OK; i++) {
        char name[32];
        snprintf(name, sizeof name, "dense%zu", i + 1);
        if (i > 0)
            status = thaw_append_network_dropout(model, options, node);
        if (status == THAW_OK)
            status = thaw_dense(model, *node, &(thaw_dense_options){ .name = name, .units = options->hidden.items[i] },
                                node);
        if (status == THAW_OK)
            status = thaw_append_layer_end(model, options, before + i + 1, node);
    }
    return status;
}
