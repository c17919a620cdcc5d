/* Residual networks: He et al. 2015, arXiv 1512.03385; names, layouts and initial values are torchvision's. */
#include <stdio.h>

#include "models/unit.h"
#include "models/zoo.h"

enum { STAGES = 4, FIRST_WIDTH = 64 };

typedef struct residual {
    int blocks[STAGES];
    bool bottleneck; /* 1x1, 3x3 and 1x1 with four times the filters, instead of two 3x3 */
} residual;

/* The shortcut around a block: a convolution if the shape changes, else nothing. */
static thaw_status append_shortcut(thaw_model *model, const char *path, int64_t filters, int64_t stride,
                                   thaw_node *node)
{
    const thaw_unit unit = { .convolution = "downsample.0",
                             .normalisation = "downsample.1",
                             .filters = filters,
                             .kernel = 1,
                             .stride = stride,
                             .initializer = THAW_INITIAL_HE_NORMAL_OUT };
    if (stride == 1 && thaw_channels_of(model, *node) == filters)
        return THAW_OK;
    return thaw_append_units(model, path, &unit, 1, node);
}

static thaw_status append_body(thaw_model *model, const char *path, const residual *r, int64_t width, int64_t stride,
                               thaw_node *node)
{
    const thaw_unit basic[] = {
        { "conv1", "bn1", width, 3, stride, false, false, THAW_INITIAL_HE_NORMAL_OUT, thaw_relu },
        { "conv2", "bn2", width, 3, 1, false, false, THAW_INITIAL_HE_NORMAL_OUT, NULL },
    };
    const thaw_unit bottleneck[] = {
        { "conv1", "bn1", width, 1, 1, false, false, THAW_INITIAL_HE_NORMAL_OUT, thaw_relu },
        { "conv2", "bn2", width, 3, stride, false, false, THAW_INITIAL_HE_NORMAL_OUT, thaw_relu },
        { "conv3", "bn3", 4 * width, 1, 1, false, false, THAW_INITIAL_HE_NORMAL_OUT, NULL },
    };
    return r->bottleneck ? thaw_append_units(model, path, bottleneck, THAW_COUNT(bottleneck), node)
                         : thaw_append_units(model, path, basic, THAW_COUNT(basic), node);
}

static thaw_status append_block(thaw_model *model, const residual *r, int stage, int block, thaw_node *node)
{
    char path[32];
    snprintf(path, sizeof path, "layer%d.%d.", stage + 1, block);
    const int64_t width = FIRST_WIDTH << stage, stride = stage > 0 && block == 0 ? 2 : 1;
    thaw_node shortcut = *node;
    thaw_status status = append_shortcut(model, path, r->bottleneck ? 4 * width : width, stride, &shortcut);
    if (status == THAW_OK)
        status = append_body(model, path, r, width, stride, node);
    if (status == THAW_OK)
        status = thaw_add(model, *node, shortcut, NULL, node);
    return status == THAW_OK ? thaw_relu(model, *node, NULL, node) : status;
}

static thaw_status build(thaw_model *model, const residual *r, thaw_node *node)
{
    const thaw_unit stem = { "conv1", "bn1", FIRST_WIDTH, 7, 2, false, false, THAW_INITIAL_HE_NORMAL_OUT, thaw_relu };
    const thaw_pool2d_options pool = { .kernel = { 3, 3 }, .stride = { 2, 2 }, .padding = { 1, 1 } };
    thaw_status status = thaw_append_units(model, "", &stem, 1, node);
    if (status == THAW_OK)
        status = thaw_max_pool2d(model, *node, &pool, node);
    for (int stage = 0; stage < STAGES; stage++)
        for (int block = 0; block < r->blocks[stage] && status == THAW_OK; block++)
            status = append_block(model, r, stage, block, node);
    static const thaw_simple_options pool_options = { .name = "avgpool" };
    return status == THAW_OK ? thaw_global_average_pool2d(model, *node, &pool_options, node) : status;
}

static thaw_status build_18(thaw_model *model, const thaw_network_options *options, thaw_node *node)
{
    (void)options;
    return build(model, &(residual){ .blocks = { 2, 2, 2, 2 } }, node);
}

static thaw_status build_34(thaw_model *model, const thaw_network_options *options, thaw_node *node)
{
    (void)options;
    return build(model, &(residual){ .blocks = { 3, 4, 6, 3 } }, node);
}

static thaw_status build_50(thaw_model *model, const thaw_network_options *options, thaw_node *node)
{
    (void)options;
    return build(model, &(residual){ .blocks = { 3, 4, 6, 3 }, .bottleneck = true }, node);
}

const thaw_network thaw_network_resnet18 = {
    .entry = { .name = "resnet18",
               .description = "ResNet-18, as torchvision's",
               .parameters = 11689512,
               .weights = "torchvision's resnet18",
               .classes = 1000,
               .head = "fc",
               .sample_shape = { .rank = 3, .dims = { 224, 224, 3 } } },
    .build = build_18,
};

const thaw_network thaw_network_resnet34 = {
    .entry = { .name = "resnet34",
               .description = "ResNet-34, as torchvision's",
               .parameters = 21797672,
               .weights = "torchvision's resnet34",
               .classes = 1000,
               .head = "fc",
               .sample_shape = { .rank = 3, .dims = { 224, 224, 3 } } },
    .build = build_34,
};

const thaw_network thaw_network_resnet50 = {
    .entry = { .name = "resnet50",
               .description = "ResNet-50, as torchvision's (v1.5)",
               .parameters = 25557032,
               .weights = "torchvision's resnet50",
               .classes = 1000,
               .head = "fc",
               .sample_shape = { .rank = 3, .dims = { 224, 224, 3 } } },
    .build = build_50,
};
