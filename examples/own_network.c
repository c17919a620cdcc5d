/* A network of your own, for the command: a residual CNN whose width is an option.

       cc -O3 -shared -fPIC own_network.c -o own_network.so $(pkg-config --cflags thaw)
       thaw train --model ./own_network.so:width=32 --data fashion-mnist --save mine.safetensors
       thaw evaluate --model ./own_network.so --load mine.safetensors --data fashion-mnist */
#include <stdio.h>
#include <thaw/network_module.h>

enum { WIDTH, BLOCKS };

static const thaw_hyperparameter options[] = {
    [WIDTH] = { "width", 16, 1, 1024 },
    [BLOCKS] = { "blocks", 2, 0, 64 },
};

/* x + relu(conv(x)) */
static thaw_status append_block(thaw_model *model, int number, int64_t width, thaw_node *node)
{
    char name[32];
    snprintf(name, sizeof name, "block%d.conv", number);
    const thaw_node shortcut = *node;
    const thaw_conv2d_options conv = { .name = name, .filters = width, .kernel = { 3, 3 }, .same = true };
    thaw_status status = thaw_conv2d(model, *node, &conv, node);
    if (status == THAW_OK)
        status = thaw_relu(model, *node, NULL, node);
    return status == THAW_OK ? thaw_add(model, *node, shortcut, NULL, node) : status;
}

static thaw_status build(thaw_model *model, thaw_node input, const thaw_network_request *wanted, thaw_node *output)
{
    const int64_t width = (int64_t)wanted->options[WIDTH];
    const thaw_conv2d_options stem = { .name = "stem", .filters = width, .kernel = { 3, 3 }, .stride = { 2, 2 } };
    thaw_status status = thaw_conv2d(model, input, &stem, output);
    if (status == THAW_OK)
        status = thaw_relu(model, *output, NULL, output);
    for (int i = 1; i <= (int)wanted->options[BLOCKS] && status == THAW_OK; i++)
        status = append_block(model, i, width, output);
    if (status == THAW_OK)
        status = thaw_max_pool2d(model, *output, &(thaw_pool2d_options){ .kernel = { 2, 2 } }, output);
    if (status == THAW_OK)
        status = thaw_flatten(model, *output, NULL, output);
    if (status == THAW_OK)
        status = thaw_dense(model, *output, &(thaw_dense_options){ .name = "head", .units = wanted->outputs }, output);
    return status;
}

/* Thaw looks for this name in a shared object. */
THAW_API extern const thaw_network_module thaw_module;

const thaw_network_module thaw_module = {
    THAW_NETWORK_MODULE_HEAD,
    .name = "own_network",
    .build = build,
    .options = options,
    .option_count = THAW_COUNT(options),
    .sample_shape = { .rank = 3, .dims = { 28, 28, 1 } },
    .outputs = 10,
};
