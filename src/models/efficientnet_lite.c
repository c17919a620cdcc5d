/* EfficientNet-Lite0: Tan & Le 2019, arXiv 1905.11946, without squeeze-and-excitation and with ReLU6, as published
   with TensorFlow's models in 2020. Names, layouts and initial values are those of timm's efficientnet_lite0, which
   pads both sides equally. The weights of timm's tf_efficientnet_lite0 need TensorFlow's padding and another
   epsilon. */
#include "models/timm_mobile.h"
#include "models/zoo.h"

static const thaw_inverted_stage stages[] = {
    { 3, 1, 16, 1, 1 },  { 3, 6, 24, 2, 2 },  { 5, 6, 40, 2, 2 },  { 3, 6, 80, 3, 2 },
    { 5, 6, 112, 3, 1 }, { 5, 6, 192, 4, 2 }, { 3, 6, 320, 1, 1 },
};

static thaw_status build(thaw_model *model, const thaw_network_options *options, thaw_node *node)
{
    (void)options;
    return thaw_append_timm_mobile(model, stages, THAW_COUNT(stages), node);
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
