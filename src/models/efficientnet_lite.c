/* EfficientNet-Lite0: Tan & Le 2019, arXiv 1905.11946, without squeeze-and-excitation and with ReLU6, as published with
   TensorFlow's models in 2020. Names, layouts and initial values are those of timm's efficientnet_lite0, which pads the
   same on both sides; the weights of its tf_efficientnet_lite0 want TensorFlow's padding and another epsilon. */
#include <stdio.h>

#include "models/unit.h"
#include "models/zoo.h"

enum { STEM = 32, LAST = 1280 };

typedef struct stage {
    int64_t kernel, expansion, filters;
    int blocks;
    int64_t stride; /* of the first */
} stage;

static const stage stages[] = {
    { 3, 1, 16, 1, 1 },  { 3, 6, 24, 2, 2 },  { 5, 6, 40, 2, 2 },  { 3, 6, 80, 3, 2 },
    { 5, 6, 112, 3, 1 }, { 5, 6, 192, 4, 2 }, { 3, 6, 320, 1, 1 },
};

/* Expand with 1x1, filter each channel, project with 1x1; added to the input where the shapes agree. timm counts a filter
   of one channel's outputs where its weights are drawn, which are as many as its inputs. */
static thaw_status append_block(thaw_model *model, const char *path, const stage *s, int64_t stride, thaw_node *node)
{
    const int64_t channels = thaw_channels_of(model, *node), width = channels * s->expansion;
    const thaw_unit expanded[] = {
        { "conv_pw", "bn1", width, 1, 1, false, false, THAW_INITIAL_HE_NORMAL_OUT, thaw_relu6 },
        { "conv_dw", "bn2", width, s->kernel, stride, true, false, THAW_INITIAL_HE_NORMAL, thaw_relu6 },
        { "conv_pwl", "bn3", s->filters, 1, 1, false, false, THAW_INITIAL_HE_NORMAL_OUT, NULL },
    };
    const thaw_unit plain[] = {
        { "conv_dw", "bn1", width, s->kernel, stride, true, false, THAW_INITIAL_HE_NORMAL, thaw_relu6 },
        { "conv_pw", "bn2", s->filters, 1, 1, false, false, THAW_INITIAL_HE_NORMAL_OUT, NULL },
    };
    const thaw_node input = *node;
    thaw_status status = s->expansion == 1 ? thaw_append_units(model, path, plain, THAW_COUNT(plain), node)
                                           : thaw_append_units(model, path, expanded, THAW_COUNT(expanded), node);
    if (status == THAW_OK && stride == 1 && channels == s->filters)
        status = thaw_add(model, *node, input, NULL, node);
    return status;
}

static thaw_status append_stages(thaw_model *model, thaw_node *node)
{
    thaw_status status = THAW_OK;
    for (size_t i = 0; i < THAW_COUNT(stages); i++)
        for (int block = 0; block < stages[i].blocks && status == THAW_OK; block++) {
            char path[32];
            snprintf(path, sizeof path, "blocks.%zu.%d.", i, block);
            status = append_block(model, path, &stages[i], block == 0 ? stages[i].stride : 1, node);
        }
    return status;
}

static thaw_status build(thaw_model *model, const thaw_network_options *options, thaw_node *node)
{
    const thaw_unit stem = { "conv_stem", "bn1", STEM, 3, 2, false, false, THAW_INITIAL_HE_NORMAL_OUT, thaw_relu6 };
    const thaw_unit last = { "conv_head", "bn2", LAST, 1, 1, false, false, THAW_INITIAL_HE_NORMAL_OUT, thaw_relu6 };
    const thaw_dense_options classifier = { .name = "classifier",
                                            .units = options->classes,
                                            .initializer = THAW_INITIAL_UNIFORM_OUT,
                                            .bias_initializer = THAW_INITIAL_ZERO };
    thaw_status status = thaw_append_units(model, "", &stem, 1, node);
    if (status == THAW_OK)
        status = append_stages(model, node);
    if (status == THAW_OK)
        status = thaw_append_units(model, "", &last, 1, node);
    if (status == THAW_OK)
        status = thaw_global_average_pool2d(model, *node, NULL, node);
    if (status == THAW_OK && options->dropout > 0)
        status = thaw_dropout(model, *node, &(thaw_dropout_options){ .rate = options->dropout }, node);
    return status == THAW_OK ? thaw_dense(model, *node, &classifier, node) : status;
}

const thaw_network thaw_network_efficientnet_lite0 = {
    .entry = { .name = "efficientnet-lite0",
               .description = "EfficientNet-Lite0, as timm's efficientnet_lite0",
               .classes = 1000,
               .sample_shape = { .rank = 3, .dims = { 224, 224, 3 } } },
    .drops = true,
    .build = build,
};
