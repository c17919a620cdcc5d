/* VGG-16: Simonyan & Zisserman 2014, arXiv 1409.1556, configuration D; names, layouts and initial values are
   torchvision's. */
#include <stdio.h>
#include <thaw/runtime.h>

#include "models/head.h"
#include "models/unit.h"
#include "models/zoo.h"

enum { POOL = 0, POOLED_SIZE = 7, HIDDEN = 4096 };

/* Filters of each convolution. */
static const int64_t features[] = { 64,   64,  POOL, 128, 128,  POOL, 256, 256, 256,
                                    POOL, 512, 512,  512, POOL, 512,  512, 512, POOL };

/* torchvision numbers a sequence: convolution, normalisation, activation, pooling. */
static thaw_status append_features(thaw_model *model, bool normalised, thaw_node *node)
{
    thaw_status status = THAW_OK;
    int number = 0;
    for (size_t i = 0; i < THAW_COUNT(features) && status == THAW_OK; i++) {
        if (features[i] == POOL) {
            status = thaw_max_pool2d(model, *node, &(thaw_pool2d_options){ .kernel = { 2, 2 } }, node);
            number++;
            continue;
        }
        char convolution[16], normalisation[16];
        snprintf(convolution, sizeof convolution, "%d", number);
        snprintf(normalisation, sizeof normalisation, "%d", number + 1);
        const thaw_unit unit = { .convolution = convolution,
                                 .normalisation = normalised ? normalisation : NULL,
                                 .filters = features[i],
                                 .kernel = 3,
                                 .bias = true,
                                 .initializer = THAW_INITIAL_HE_NORMAL_OUT,
                                 .activation = thaw_relu };
        status = thaw_append_units(model, "features.", &unit, 1, node);
        number += normalised ? 3 : 2;
    }
    return status;
}

/* torchvision's adaptive average pool to 7x7, for inputs that make its windows equal. */
static thaw_status append_pool(thaw_model *model, thaw_node *node)
{
    const thaw_shape *shape = thaw_model_node_shape(model, *node);
    const int64_t size = shape->dims[0];
    if (size == POOLED_SIZE)
        return THAW_OK;
    if (size == 1)
        return thaw_upsample2d(model, *node, &(thaw_upsample2d_options){ .scale = { POOLED_SIZE, POOLED_SIZE } }, node);
    if (size % POOLED_SIZE == 0)
        return thaw_average_pool2d(model, *node,
                                   &(thaw_pool2d_options){ .kernel = { size / POOLED_SIZE, size / POOLED_SIZE } },
                                   node);
    return thaw_fail(
        thaw_model_context(model), THAW_SHAPE_MISMATCH,
        "vgg16: features of %lldx%lld cannot be pooled to 7x7 in equal windows, size must be 32, 224 or a multiple of "
        "224",
        (long long)size, (long long)size);
}

static thaw_status append_hidden(thaw_model *model, const char *name, thaw_node *node)
{
    const thaw_dense_options options = {
        .name = name, .units = HIDDEN, .initializer = THAW_INITIAL_SMALL_NORMAL, .bias_initializer = THAW_INITIAL_ZERO
    };
    const thaw_status status = thaw_dense(model, *node, &options, node);
    return status == THAW_OK ? thaw_relu(model, *node, NULL, node) : status;
}

static thaw_status build(thaw_model *model, bool normalised, const thaw_network_options *options, thaw_node *node)
{
    thaw_status status = append_features(model, normalised, node);
    if (status == THAW_OK)
        status = append_pool(model, node);
    if (status == THAW_OK)
        status = thaw_flatten(model, *node, NULL, node);
    if (status == THAW_OK)
        status = append_hidden(model, "classifier.0", node);
    if (status == THAW_OK)
        status = thaw_append_network_dropout(model, options, node);
    return status == THAW_OK ? append_hidden(model, "classifier.3", node) : status;
}

static thaw_status build_plain(thaw_model *model, const thaw_network_options *options, thaw_node *node)
{
    return build(model, false, options, node);
}

static thaw_status build_normalised(thaw_model *model, const thaw_network_options *options, thaw_node *node)
{
    return build(model, true, options, node);
}

const thaw_network thaw_network_vgg16 = {
    .entry = { .name = "vgg16",
               .description = "VGG-16, as torchvision's",
               .parameters = 138357544,
               .weights = "torchvision's vgg16",
               .classes = 1000,
               .head = "classifier.6",
               .sample_shape = { .rank = 3, .dims = { 224, 224, 3 } } },
    .dropout = 0.5,
    .initializer = THAW_INITIAL_SMALL_NORMAL,
    .bias_initializer = THAW_INITIAL_ZERO,
    .build = build_plain,
};

const thaw_network thaw_network_vgg16_bn = {
    .entry = { .name = "vgg16-bn",
               .description = "VGG-16 normalised, as torchvision's vgg16_bn",
               .parameters = 138365992,
               .weights = "torchvision's vgg16_bn",
               .classes = 1000,
               .head = "classifier.6",
               .sample_shape = { .rank = 3, .dims = { 224, 224, 3 } } },
    .dropout = 0.5,
    .initializer = THAW_INITIAL_SMALL_NORMAL,
    .bias_initializer = THAW_INITIAL_ZERO,
    .build = build_normalised,
};
