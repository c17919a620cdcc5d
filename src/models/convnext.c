/* ConvNeXt: Liu et al. 2022, arXiv 2201.03545; names, layouts and initial values are timm's. */
#include <stdio.h>

#include "models/unit.h"
#include "models/zoo.h"

enum { STAGES = 4, EXPANSION = 4, STEM = 4, KERNEL = 7, LONGEST_NAME = 64 };

static const int64_t widths[STAGES] = { 96, 192, 384, 768 };
static const int depths[STAGES] = { 3, 3, 9, 3 };
static const double epsilon = 1e-6;

static thaw_status append_norm(thaw_model *model, const char *path, const char *layer, thaw_node *node)
{
    char name[LONGEST_NAME];
    snprintf(name, sizeof name, "%s%s", path, layer);
    return thaw_layer_norm(model, *node, &(thaw_layer_norm_options){ .name = name, .epsilon = epsilon }, node);
}

/* A convolution without overlap, of the stem and between stages. */
static thaw_status append_patches(thaw_model *model, const char *name, int64_t filters, int64_t side, thaw_node *node)
{
    return thaw_conv2d(model, *node,
                       &(thaw_conv2d_options){ .name = name,
                                               .filters = filters,
                                               .kernel = { side, side },
                                               .stride = { side, side },
                                               .initializer = THAW_INITIAL_TRANSFORMER,
                                               .bias_initializer = THAW_INITIAL_ZERO },
                       node);
}

static thaw_status append_dense(thaw_model *model, const char *path, const char *layer, int64_t units, thaw_node *node)
{
    char name[LONGEST_NAME];
    snprintf(name, sizeof name, "%s%s", path, layer);
    return thaw_dense(model, *node,
                      &(thaw_dense_options){ .name = name,
                                             .units = units,
                                             .initializer = THAW_INITIAL_TRANSFORMER,
                                             .bias_initializer = THAW_INITIAL_ZERO },
                      node);
}

static thaw_status append_branch(thaw_model *model, const char *path, int64_t width, thaw_node *node)
{
    char name[LONGEST_NAME + sizeof "gamma"];
    snprintf(name, sizeof name, "%sgamma", path);
    const thaw_unit depthwise = { "conv_dw", NULL, width, KERNEL, 1, true, true, THAW_INITIAL_TRANSFORMER, NULL };
    const thaw_layer_scale_options scale = { .name = name, .parameter = name, .initial = 1e-6 };
    thaw_status status = thaw_append_units(model, path, &depthwise, 1, node);
    if (status == THAW_OK)
        status = append_norm(model, path, "norm", node);
    if (status == THAW_OK)
        status = append_dense(model, path, "mlp.fc1", EXPANSION * width, node);
    if (status == THAW_OK)
        status = thaw_gelu(model, *node, NULL, node);
    if (status == THAW_OK)
        status = append_dense(model, path, "mlp.fc2", width, node);
    return status == THAW_OK ? thaw_layer_scale(model, *node, &scale, node) : status;
}

static thaw_status append_block(thaw_model *model, const char *path, int64_t width, double drop_path, thaw_node *node)
{
    const thaw_node shortcut = *node;
    thaw_status status = append_branch(model, path, width, node);
    if (status == THAW_OK && drop_path > 0)
        status = thaw_stochastic_depth(model, *node, &(thaw_stochastic_depth_options){ .rate = drop_path }, node);
    return status == THAW_OK ? thaw_add(model, *node, shortcut, NULL, node) : status;
}

static thaw_status append_stage(thaw_model *model, int stage, int first, double drop_path, thaw_node *node)
{
    char path[LONGEST_NAME];
    thaw_status status = THAW_OK;
    if (stage > 0) {
        snprintf(path, sizeof path, "stages.%d.downsample.1", stage);
        char norm[LONGEST_NAME];
        snprintf(norm, sizeof norm, "stages.%d.downsample.0", stage);
        status = append_norm(model, "", norm, node);
        if (status == THAW_OK)
            status = append_patches(model, path, widths[stage], 2, node);
    }
    for (int block = 0; block < depths[stage] && status == THAW_OK; block++) {
        snprintf(path, sizeof path, "stages.%d.blocks.%d.", stage, block);
        status = append_block(model, path, widths[stage], drop_path * (first + block), node);
    }
    return status;
}

/* Stochastic depth grows from block to block, as in timm. */
static thaw_status build(thaw_model *model, const thaw_network_options *options, thaw_node *node)
{
    int blocks = 0;
    for (int stage = 0; stage < STAGES; stage++)
        blocks += depths[stage];
    thaw_status status = append_patches(model, "stem.0", widths[0], STEM, node);
    if (status == THAW_OK)
        status = append_norm(model, "", "stem.1", node);
    for (int stage = 0, first = 0; stage < STAGES && status == THAW_OK; first += depths[stage++])
        status = append_stage(model, stage, first, options->drop_path / (blocks - 1), node);
    if (status == THAW_OK)
        status = thaw_global_average_pool2d(model, *node, &(thaw_simple_options){ .name = "head.global_pool" }, node);
    return status == THAW_OK ? append_norm(model, "head.", "norm", node) : status;
}

const thaw_network thaw_network_convnext_tiny = {
    .entry = { .name = "convnext-tiny",
               .description = "ConvNeXt-T, as timm's convnext_tiny",
               .parameters = 28589128,
               .weights = "timm's convnext_tiny",
               .classes = 1000,
               .head = "head.fc",
               .sample_shape = { .rank = 3, .dims = { 224, 224, 3 } } },
    .takes = THAW_TAKES_SIZE | THAW_TAKES_DEPTH,
    .initializer = THAW_INITIAL_TRANSFORMER,
    .bias_initializer = THAW_INITIAL_ZERO,
    .build = build,
};
