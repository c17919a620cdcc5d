/* MobileNetV2: Sandler et al. 2018, arXiv 1801.04381; names, layouts and initial values are torchvision's, or
   timm's. */
#include <stdio.h>

#include "models/inverted_residual.h"
#include "models/timm_mobile.h"
#include "models/zoo.h"

enum { STEM = 32, LAST = 1280 };

static const thaw_inverted_stage stages[] = {
    { 3, 1, 16, 1, 1 }, { 3, 6, 24, 2, 2 },  { 3, 6, 32, 3, 2 },  { 3, 6, 64, 4, 2 },
    { 3, 6, 96, 3, 1 }, { 3, 6, 160, 3, 2 }, { 3, 6, 320, 1, 1 },
};

static void write_path(char *path, size_t size, size_t stage, int block, int number)
{
    (void)stage, (void)block;
    snprintf(path, size, "features.%d.", number + 1);
}

static const thaw_inverted_style style = {
    .expanded = { { "conv.0.0", "conv.0.1" }, { "conv.1.0", "conv.1.1" }, { "conv.2", "conv.3" } },
    .plain = { { "conv.0.0", "conv.0.1" }, { "conv.1", "conv.2" } },
    .filter = THAW_INITIAL_HE_NORMAL_OUT,
    .write_path = write_path,
};

static thaw_status build(thaw_model *model, const thaw_network_options *options, thaw_node *node)
{
    const thaw_unit stem = { "0", "1", STEM, 3, 2, false, false, THAW_INITIAL_HE_NORMAL_OUT, thaw_relu6 };
    const thaw_unit last = { "0", "1", LAST, 1, 1, false, false, THAW_INITIAL_HE_NORMAL_OUT, thaw_relu6 };
    (void)options;
    thaw_status status = thaw_append_units(model, "features.0.", &stem, 1, node);
    if (status == THAW_OK)
        status = thaw_append_inverted_residuals(model, &style, stages, THAW_COUNT(stages), node);
    if (status == THAW_OK)
        status = thaw_append_units(model, "features.18.", &last, 1, node);
    static const thaw_simple_options pool_options = { .name = "avgpool" };
    return status == THAW_OK ? thaw_global_average_pool2d(model, *node, &pool_options, node) : status;
}

const thaw_network thaw_network_mobilenet_v2 = {
    .entry = { .name = "mobilenet-v2",
               .description = "MobileNetV2, as torchvision's mobilenet_v2",
               .parameters = 3504872,
               .weights = "torchvision's mobilenet_v2",
               .classes = 1000,
               .head = "classifier.1",
               .sample_shape = { .rank = 3, .dims = { 224, 224, 3 } } },
    .dropout = 0.2,
    .initializer = THAW_INITIAL_SMALL_NORMAL,
    .bias_initializer = THAW_INITIAL_ZERO,
    .build = build,
};

static thaw_status build_timm(thaw_model *model, const thaw_network_options *options, thaw_node *node)
{
    (void)options;
    return thaw_append_timm_mobile(model, stages, THAW_COUNT(stages), node);
}

const thaw_network thaw_network_mobilenetv2_100 = {
    .entry = { .name = "mobilenetv2-100",
               .description = "MobileNetV2, as timm's mobilenetv2_100",
               .parameters = 3504872,
               .weights = "timm's mobilenetv2_100",
               .classes = 1000,
               .head = "classifier",
               .sample_shape = { .rank = 3, .dims = { 224, 224, 3 } } },
    .initializer = THAW_INITIAL_UNIFORM_OUT,
    .bias_initializer = THAW_INITIAL_ZERO,
    .build = build_timm,
};
