/* MobileNetV2: Sandler et al. 2018, arXiv 1801.04381; names, layouts and initial values are torchvision's. */
#include <stdio.h>

#include "models/unit.h"
#include "models/zoo.h"

enum { STEM = 32, LAST = 1280 };

typedef struct stage {
    int64_t expansion, filters;
    int blocks;
    int64_t stride; /* of the first */
} stage;

static const stage stages[] = {
    { 1, 16, 1, 1 }, { 6, 24, 2, 2 },  { 6, 32, 3, 2 },  { 6, 64, 4, 2 },
    { 6, 96, 3, 1 }, { 6, 160, 3, 2 }, { 6, 320, 1, 1 },
};

/* Expand with 1x1, filter each channel, project with 1x1; added to the input where the shapes agree. */
static thaw_status append_block(thaw_model *model, const char *path, const stage *s, int64_t stride, thaw_node *node)
{
    const int64_t channels = thaw_channels_of(model, *node), width = channels * s->expansion;
    const thaw_unit expanded[] = {
        { "conv.0.0", "conv.0.1", width, 1, 1, false, false, THAW_INITIAL_HE_NORMAL_OUT, thaw_relu6 },
        { "conv.1.0", "conv.1.1", width, 3, stride, true, false, THAW_INITIAL_HE_NORMAL_OUT, thaw_relu6 },
        { "conv.2", "conv.3", s->filters, 1, 1, false, false, THAW_INITIAL_HE_NORMAL_OUT, NULL },
    };
    const thaw_unit plain[] = {
        { "conv.0.0", "conv.0.1", width, 3, stride, true, false, THAW_INITIAL_HE_NORMAL_OUT, thaw_relu6 },
        { "conv.1", "conv.2", s->filters, 1, 1, false, false, THAW_INITIAL_HE_NORMAL_OUT, NULL },
    };
    const thaw_node input = *node;
    thaw_status status = s->expansion == 1 ? thaw_append_units(model, path, plain, THAW_COUNT(plain), node)
                                           : thaw_append_units(model, path, expanded, THAW_COUNT(expanded), node);
    if (status == THAW_OK && stride == 1 && channels == s->filters)
        status = thaw_add(model, *node, input, NULL, node);
    return status;
}

static thaw_status append_stages(thaw_model *model, int *number, thaw_node *node)
{
    thaw_status status = THAW_OK;
    for (size_t i = 0; i < THAW_COUNT(stages); i++)
        for (int block = 0; block < stages[i].blocks && status == THAW_OK; block++) {
            char path[32];
            snprintf(path, sizeof path, "features.%d.", ++*number);
            status = append_block(model, path, &stages[i], block == 0 ? stages[i].stride : 1, node);
        }
    return status;
}

static thaw_status build(thaw_model *model, const thaw_network_options *options, thaw_node *node)
{
    const thaw_unit stem = { "0", "1", STEM, 3, 2, false, false, THAW_INITIAL_HE_NORMAL_OUT, thaw_relu6 };
    const thaw_unit last = { "0", "1", LAST, 1, 1, false, false, THAW_INITIAL_HE_NORMAL_OUT, thaw_relu6 };
    const thaw_dense_options classifier = { .name = "classifier.1",
                                            .units = options->classes,
                                            .initializer = THAW_INITIAL_SMALL_NORMAL,
                                            .bias_initializer = THAW_INITIAL_ZERO };
    int number = 0;
    thaw_status status = thaw_append_units(model, "features.0.", &stem, 1, node);
    if (status == THAW_OK)
        status = append_stages(model, &number, node);
    char path[32];
    snprintf(path, sizeof path, "features.%d.", number + 1);
    if (status == THAW_OK)
        status = thaw_append_units(model, path, &last, 1, node);
    if (status == THAW_OK)
        status = thaw_global_average_pool2d(model, *node, NULL, node);
    if (status == THAW_OK && options->dropout > 0)
        status = thaw_dropout(model, *node, &(thaw_dropout_options){ .rate = options->dropout }, node);
    return status == THAW_OK ? thaw_dense(model, *node, &classifier, node) : status;
}

const thaw_network thaw_network_mobilenet_v2 = {
    .entry = { .name = "mobilenet-v2",
               .description = "MobileNetV2, as torchvision's mobilenet_v2",
               .classes = 1000,
               .sample_shape = { .rank = 3, .dims = { 224, 224, 3 } } },
    .drops = true,
    .dropout = 0.2,
    .build = build,
};
