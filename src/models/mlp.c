/* Multi-layer perceptrons: two over 28x28 images, and one by options. */
#include "models/embedded_columns.h"
#include "models/layer_stack.h"

static thaw_status build(thaw_model *model, const thaw_network_options *options, thaw_node *node)
{
    const thaw_status status =
        options->embed ? thaw_append_embedded_columns(model, options, node) : thaw_flatten(model, *node, NULL, node);
    return status == THAW_OK ? thaw_append_hidden_layers(model, options, 0, node) : status;
}

const thaw_network thaw_network_mlp_512 = {
    .entry = { .name = "mlp-512",
               .description = "dense 512, dense 512, dense classes",
               .parameters = 669706,
               .classes = 10,
               .sample_shape = { .rank = 3, .dims = { 28, 28, 1 } },
               .head = "dense3" },
    .hidden = { .count = 2, .items = { 512, 512 } },
    .any_input = true,
    .build = build,
};

const thaw_network thaw_network_mlp_500 = {
    .entry = { .name = "mlp-500",
               .description = "dense 500, dense classes",
               .parameters = 397510,
               .classes = 10,
               .sample_shape = { .rank = 3, .dims = { 28, 28, 1 } },
               .head = "dense2" },
    .hidden = { .count = 1, .items = { 500 } },
    .any_input = true,
    .build = build,
};

const thaw_network thaw_network_mlp = {
    .entry = { .name = "mlp",
               .description = "dense layers: hidden=64x32, activation=gelu, norm=batch, embed=8",
               .classes = 10,
               .sample_shape = { .rank = 3, .dims = { 28, 28, 1 } },
               .parameters = 101770,
               .head = "head" },
    .takes = THAW_TAKES_LAYERS | THAW_TAKES_COLUMNS,
    .hidden = { .count = 1, .items = { 128 } },
    .any_input = true,
    .build = build,
};
