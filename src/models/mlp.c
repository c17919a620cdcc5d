/* Multi-layer perceptrons over 28x28 images. */
#include <stdio.h>

#include "models/zoo.h"

static thaw_status append_layers(thaw_model *model, const int64_t *units, size_t count, thaw_node *node)
{
    thaw_status status = thaw_flatten(model, *node, NULL, node);
    for (size_t i = 0; i < count && status == THAW_OK; i++) {
        char name[16];
        snprintf(name, sizeof name, "dense%zu", i + 1);
        status = thaw_dense(model, *node, &(thaw_dense_options){ .name = name, .units = units[i] }, node);
        if (status == THAW_OK)
            status = thaw_relu(model, *node, NULL, node);
    }
    return status;
}

static thaw_status build_512(thaw_model *model, const thaw_network_options *options, thaw_node *node)
{
    (void)options;
    return append_layers(model, (const int64_t[]){ 512, 512 }, 2, node);
}

static thaw_status build_500(thaw_model *model, const thaw_network_options *options, thaw_node *node)
{
    (void)options;
    return append_layers(model, (const int64_t[]){ 500 }, 1, node);
}

const thaw_network thaw_network_mlp_512 = {
    .entry = { .name = "mlp-512",
               .description = "dense 512, dense 512, dense classes",
               .parameters = 669706,
               .classes = 10,
               .head = "dense3",
               .sample_shape = { .rank = 3, .dims = { 28, 28, 1 } } },
    .any_input = true,
    .build = build_512,
};

const thaw_network thaw_network_mlp_500 = {
    .entry = { .name = "mlp-500",
               .description = "dense 500, dense classes",
               .parameters = 397510,
               .classes = 10,
               .head = "dense2",
               .sample_shape = { .rank = 3, .dims = { 28, 28, 1 } } },
    .any_input = true,
    .build = build_500,
};
