#include "models/unit.h"

#include <stdio.h>

enum { LONGEST_NAME = 64 };

thaw_status thaw_append_unit(thaw_model *model, const char *path, const thaw_unit *unit, thaw_node *node)
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
                                                             .no_bias = unit->normalisation,
                                                             .initializer = unit->initializer,
                                                             .bias_initializer = THAW_INITIAL_ZERO },
                                     node);
    if (status == THAW_OK && unit->normalisation)
        status = thaw_batch_norm(model, *node, &(thaw_batch_norm_options){ .name = normalisation }, node);
    return status == THAW_OK && unit->activation ? unit->activation(model, *node, NULL, node) : status;
}
