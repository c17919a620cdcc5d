#include "models/unit.h"

#include <stdio.h>

enum { LONGEST_NAME = 64 };

static thaw_status append_unit(thaw_model *model, const char *path, const thaw_unit *unit, thaw_node *node)
{
    char convolution[LONGEST_NAME], normalisation[LONGEST_NAME];
    snprintf(convolution, sizeof convolution, "%s%s", path, unit->convolution);
    snprintf(normalisation, sizeof normalisation, "%s%s", path, unit->normalisation ? unit->normalisation : "");
    const int64_t padding = unit->kernel / 2;
    thaw_status status = thaw_conv2d(model, *node,
                                     &(thaw_conv2d_options){ .name = convolution,
                                                             .filters = unit->filters,
                                                             .kernel = { unit->kernel, unit->kernel },
                                                             .stride = { unit->stride, unit->stride },
                                                             .padding = { padding, padding },
                                                             .groups = unit->depthwise ? unit->filters : 1,
                                                             .no_bias = !unit->bias,
                                                             .initializer = unit->initializer,
                                                             .bias_initializer = THAW_INITIAL_ZERO },
                                     node);
    if (status == THAW_OK && unit->normalisation)
        status = thaw_batch_norm(model, *node, &(thaw_batch_norm_options){ .name = normalisation }, node);
    return status == THAW_OK && unit->activation ? unit->activation(model, *node, NULL, node) : status;
}

thaw_status thaw_append_units(thaw_model *model, const char *path, const thaw_unit *units, size_t count,
                              thaw_node *node)
{
    thaw_status status = THAW_OK;
    for (size_t i = 0; i < count && status == THAW_OK; i++)
        status = append_unit(model, path, &units[i], node);
    return status;
}

int64_t thaw_channels_of(const thaw_model *model, thaw_node node)
{
    return thaw_model_node_shape(model, node)->dims[2];
}
