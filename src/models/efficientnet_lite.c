/* EfficientNet-Lite0: Tan & Le 2019, arXiv 1905.11946, without squeeze-and-excitation and with ReLU6, as published
   with TensorFlow's models in 2020. Names, layouts and initial values are those of timm's efficientnet_lite0, which
   pads both sides equally. The weights of timm's tf_efficientnet_lite0 need TensorFlow's padding and another
   epsilon. */
#include <stdio.h>

#include "models/inverted_residual.h"
#include "models/zoo.h"

enum { STEM = 32, LAST = 1280 };

static const thaw_inverted_stage stages[] = {
    { 3, 1, 16, 1, 1 },  { 3, 6, 24, 2, 2 },  { 5, 6, 40, 2, 2 },  { 3, 6, 80, 3, 2 },
    { 5, 6, 112, 3, 1 }, { 5, 6, 192, 4, 2 }, { 3, 6, 320, 1, 1 },
};

static void write_path(char *path, size_t size, size_t stage, int block, int number)
{
    (void)number;
    snprintf(path, size, "blocks.%zu.%d.", stage, block);
}

/* timm scales depthwise weights by the fan-out of one channel, which equals the fan-in. */
static const thaw_inverted_style style = {
    .expanded = { { "conv_pw", "bn1" }, { "conv_dw", "bn2" }, { "conv_pwl", "bn3" } },
    .plain = { { "conv_dw", "bn1" }, { "conv_pw", "bn2" } },
    .filter = THAW_INITIAL_HE_NORMAL,
    .write_path = write_path,
};

static thaw_status build(thaw_model *model, const thaw_network_options *options, thaw_node *node)
{
    const thaw_unit stem = { "conv_stem", "bn1", STEM, 3, 2, false, false, THAW_INITIAL_HE_NORMAL_OUT, thaw_relu6 };
    const thaw_unit last = { "conv_head", "bn2", LAST, 1, 1, false, false, THAW_INITIAL_HE_NORMAL_OUT, thaw_relu6 };
    (void)options;
    thaw_status status = thaw_append_units(model, "", &stem, 1, node);
    if (status == THAW_OK)
        status = thaw_append_inverted_residuals(model, &style, stages, THAW_COUNT(stages), node);
    if (status == THAW_OK)
        status = thaw_append_units(model, "", &last, 1, node);
    static const thaw_simple_options pool_options = { .name = "avgpool" };
    return status == THAW_OK ? thaw_global_average_pool2d(model, *node, &pool_options, node) : status;
}

const thaw_network thaw_network_efficientnet_lite0 = {
    .entry = { .name = "efficientnet-lite0",
               .description = "EfficientNet-Lite0, as timm's efficientnet_lite0",
               .parameters = 4652008,
               .weights = "timm's efficientnet_lite0",
               .classes = 1000,
               .head = "classifier",
               .sample_shape = { .rank = 3, .dims = { 224, 224, 3 } } },
    .initializer = THAW_INITIAL_UNIFORM_OUT,
    .bias_initializer = THAW_INITIAL_ZERO,
    .build = build,
};
