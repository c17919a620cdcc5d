/* The network of Keras' MNIST transfer example: two convolutions that are kept, and a dense head that is retrained. */
#include "models/zoo.h"

static thaw_status build(thaw_model *model, const thaw_network_options *options, thaw_node *node)
{
    (void)options;
    thaw_status status =
        thaw_conv2d(model, *node, &(thaw_conv2d_options){ .name = "conv1", .filters = 32, .kernel = { 3, 3 } }, node);
    if (status == THAW_OK)
        status = thaw_relu(model, *node, NULL, node);
    if (status == THAW_OK)
        status = thaw_conv2d(model, *node, &(thaw_conv2d_options){ .name = "conv2", .filters = 32, .kernel = { 3, 3 } },
                             node);
    if (status == THAW_OK)
        status = thaw_relu(model, *node, NULL, node);
    if (status == THAW_OK)
        status = thaw_max_pool2d(model, *node, &(thaw_pool2d_options){ .kernel = { 2, 2 } }, node);
    if (status == THAW_OK)
        status = thaw_dropout(model, *node, &(thaw_dropout_options){ .rate = 0.25 }, node);
    if (status == THAW_OK)
        status = thaw_flatten(model, *node, NULL, node);
    if (status == THAW_OK)
        status = thaw_dense(model, *node, &(thaw_dense_options){ .name = "dense1", .units = 128 }, node);
    return status == THAW_OK ? thaw_relu(model, *node, NULL, node) : status;
}

const thaw_network thaw_network_transfer_cnn = {
    .entry = { .name = "transfer-cnn",
               .description = "two convolutions of 32 filters, dense 128, dense classes",
               .parameters = 600165,
               .classes = 5,
               .head = "dense2",
               .sample_shape = { .rank = 3, .dims = { 28, 28, 1 } } },
    .dropout = 0.5,
    .build = build,
};
