#include "models/head.h"

#include <stdio.h>

enum { LONGEST_NAME = 64 };

/* A rate that the user asks for acts on a frozen body's features, too, as in PyTorch; the network's own does not, so
   that its whole body can be a frozen prefix. */
thaw_status thaw_append_network_dropout(thaw_model *model, const thaw_network_options *options, thaw_node *node)
{
    if (!(options->dropout > 0))
        return THAW_OK;
    return thaw_dropout(model, *node,
                        &(thaw_dropout_options){ .rate = options->dropout, .drop_when_frozen = options->drops }, node);
}

/* A hidden layer of zeros would never train: those have PyTorch's values. */
static thaw_initializer initializer_of(const thaw_network_options *options, bool last)
{
    const bool zeros = options->initializer == THAW_INITIAL_ZERO;
    return options->has_initializer && (last || !zeros) ? options->initializer : THAW_INITIAL_DEFAULT;
}

static thaw_status append_dense(thaw_model *model, const thaw_network_options *options, const char *name, int64_t units,
                                bool last, thaw_node *node)
{
    const thaw_initializer initializer = initializer_of(options, last);
    const bool usual = initializer == THAW_INITIAL_DEFAULT;
    return thaw_dense(model, *node,
                      &(thaw_dense_options){ .name = name,
                                             .units = units,
                                             .initializer = initializer,
                                             .bias_initializer = usual ? THAW_INITIAL_DEFAULT : THAW_INITIAL_ZERO },
                      node);
}

/* Named as PyTorch's Sequential(Linear, ReLU, Linear) in the place of the network's own head. */
static thaw_status append_mlp(thaw_model *model, const char *head, const thaw_network_options *options, thaw_node *node)
{
    const thaw_size_list *units = &options->head_units;
    thaw_status status = THAW_OK;
    for (size_t i = 0; i <= units->count && status == THAW_OK; i++) {
        char dense[LONGEST_NAME], relu[LONGEST_NAME];
        const bool last = i == units->count;
        snprintf(dense, sizeof dense, "%s.%zu", head, 2 * i);
        snprintf(relu, sizeof relu, "%s.%zu", head, 2 * i + 1);
        status = append_dense(model, options, dense, last ? options->classes : units->items[i], last, node);
        if (status == THAW_OK && !last)
            status = thaw_relu(model, *node, &(thaw_simple_options){ .name = relu }, node);
    }
    return status;
}

thaw_status thaw_append_network_head(thaw_model *model, const thaw_network *network,
                                     const thaw_network_options *options, thaw_node *node)
{
    const char *name = network->entry.head;
    if (options->head == THAW_HEAD_NONE)
        return THAW_OK;
    thaw_status status = thaw_append_network_dropout(model, options, node);
    if (status != THAW_OK)
        return status;
    if (options->head == THAW_HEAD_MLP)
        return append_mlp(model, name, options, node);
    if (options->head == THAW_HEAD_LINEAR || options->has_initializer)
        return append_dense(model, options, name, options->classes, true, node);
    return thaw_dense(model, *node,
                      &(thaw_dense_options){ .name = name,
                                             .units = options->classes,
                                             .initializer = network->initializer,
                                             .bias_initializer = network->bias_initializer },
                      node);
}
