/* A small network for digits: 8 and 16 filters, each followed by 2x2 pooling. */
#include "models/zoo.h"

static thaw_status append_block(thaw_model *model, const char *name, int64_t filters, thaw_node *node)
{
    thaw_status status =
        thaw_conv2d(model, *node,
                    &(thaw_conv2d_options){ .name = name, .filters = filters, .kernel = { 3, 3 }, .same = true }, node);
    if (status == THAW_OK)
        status = thaw_relu(model, *node, NULL, node);
    if (status == THAW_OK)
        status = thaw_max_pool2d(model, *node, &(thaw_pool2d_options){ .kernel = { 2, 2 } }, node);
    return status;
}

static thaw_status build(thaw_model *model, const thaw_network_options *options, thaw_node *node)
{
    (void)options;
    thaw_status status = append_block(model, "conv1", 8, node);
    if (status == THAW_OK)
        status = append_block(model, "conv2", 16, node);
    return status == THAW_OK ? thaw_flatten(model, *node, NULL, node) : status;
}

const thaw_network thaw_network_cnn_8_16 = {
    .entry = { .name = "cnn-8-16",
               .description = "convolutions of 8 and 16 filters with max-pool, dense classes",
               .parameters = 9098,
               .classes = 10,
               .head = "dense",
               .sample_shape = { .rank = 3, .dims = { 28, 28, 1 } } },
    .build = build,
};
