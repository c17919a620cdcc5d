#include "support/small_networks.h"

#include <string.h>

#define TRY(call)                         \
    do {                                  \
        const thaw_status tried = (call); \
        if (tried != THAW_OK)             \
            return tried;                 \
    } while (0)

static thaw_status end(thaw_model *model, thaw_node x)
{
    TRY(thaw_dense(model, x, &(thaw_dense_options){ .units = SMALL_NETWORK_CLASSES }, &x));
    return thaw_softmax_cross_entropy(model, x, NULL, &x);
}

static thaw_status dense(thaw_model *model, thaw_node x)
{
    TRY(thaw_dense(model, x, &(thaw_dense_options){ .name = "first", .units = 11 }, &x));
    TRY(thaw_relu(model, x, NULL, &x));
    return end(model, x);
}

static thaw_status convolutional(thaw_model *model, thaw_node x)
{
    TRY(thaw_conv2d(model, x, &(thaw_conv2d_options){ .name = "first", .filters = 8, .kernel = { 3, 3 } }, &x));
    TRY(thaw_relu(model, x, NULL, &x));
    TRY(thaw_max_pool2d(model, x, &(thaw_pool2d_options){ .kernel = { 2, 2 } }, &x));
    TRY(thaw_conv2d(model, x, &(thaw_conv2d_options){ .filters = 16, .kernel = { 3, 3 }, .same = true }, &x));
    TRY(thaw_tanh(model, x, NULL, &x));
    TRY(thaw_flatten(model, x, NULL, &x));
    return end(model, x);
}

static thaw_status residual(thaw_model *model, thaw_node x)
{
    const thaw_conv2d_options first = {
        .name = "first", .filters = 6, .kernel = { 3, 3 }, .same = true, .no_bias = true
    };
    const thaw_conv2d_options depthwise = {
        .filters = 6, .kernel = { 3, 3 }, .same = true, .no_bias = true, .groups = 6
    };
    thaw_node y;
    TRY(thaw_conv2d(model, x, &first, &x));
    TRY(thaw_batch_norm(model, x, NULL, &x));
    TRY(thaw_relu(model, x, NULL, &x));
    TRY(thaw_conv2d(model, x, &depthwise, &y));
    TRY(thaw_batch_norm(model, y, NULL, &y));
    TRY(thaw_add(model, x, y, NULL, &x));
    TRY(thaw_relu(model, x, NULL, &x));
    TRY(thaw_average_pool2d(model, x, &(thaw_pool2d_options){ .kernel = { 2, 2 } }, &x));
    TRY(thaw_global_average_pool2d(model, x, NULL, &x));
    return end(model, x);
}

static thaw_status recurrent(thaw_model *model, thaw_node x)
{
    TRY(thaw_lstm(model, x, &(thaw_recurrent_options){ .name = "first", .units = 5 }, &x));
    TRY(thaw_layer_norm(model, x, NULL, &x));
    TRY(thaw_gru(model, x, &(thaw_recurrent_options){ .units = 4, .last_only = true }, &x));
    return end(model, x);
}

static thaw_status decoder(thaw_model *model, thaw_node x)
{
    const thaw_conv2d_options first = { .name = "first", .filters = 4, .kernel = { 3, 3 }, .stride = { 2, 2 } };
    const thaw_conv_transpose2d_options up = { .filters = 3, .kernel = { 2, 2 }, .stride = { 2, 2 } };
    TRY(thaw_conv2d(model, x, &first, &x));
    TRY(thaw_gelu(model, x, NULL, &x));
    TRY(thaw_group_norm(model, x, &(thaw_group_norm_options){ .groups = 2 }, &x));
    TRY(thaw_conv_transpose2d(model, x, &up, &x));
    TRY(thaw_silu(model, x, NULL, &x));
    TRY(thaw_dropout(model, x, &(thaw_dropout_options){ .rate = 0.25 }, &x));
    TRY(thaw_flatten(model, x, NULL, &x));
    TRY(thaw_dense(model, x, &(thaw_dense_options){ .units = 6 }, &x));
    TRY(thaw_softmax(model, x, NULL, &x));
    return end(model, x);
}

static thaw_status adapted(thaw_model *model, thaw_node x)
{
    TRY(thaw_dense(model, x, &(thaw_dense_options){ .name = "first", .units = 12 }, &x));
    TRY(thaw_sigmoid(model, x, NULL, &x));
    TRY(thaw_dense(model, x, &(thaw_dense_options){ .name = "second", .units = 9 }, &x));
    TRY(thaw_leaky_relu(model, x, NULL, &x));
    TRY(end(model, x));
    return thaw_lora(model, "second.weight", 2, 4);
}

static const small_network networks[] = {
    { "dense", { .rank = 1, .dims = { 7 } }, dense },
    { "convolutional", { .rank = 3, .dims = { 9, 8, 2 } }, convolutional },
    { "residual", { .rank = 3, .dims = { 8, 8, 3 } }, residual },
    { "recurrent", { .rank = 2, .dims = { 5, 3 } }, recurrent },
    { "decoder", { .rank = 3, .dims = { 7, 7, 2 } }, decoder },
    { "adapted", { .rank = 1, .dims = { 7 } }, adapted },
};

const small_network *small_network_find(const char *name)
{
    for (size_t i = 0; i < THAW_COUNT(networks); i++) {
        if (strcmp(networks[i].name, name) == 0)
            return &networks[i];
    }
    return NULL;
}

thaw_status small_network_build(const small_network *network, thaw_model *model)
{
    thaw_node x;
    thaw_optimizer *optimizer;
    TRY(thaw_input(model, &network->sample, &x));
    TRY(network->layers(model, x));
    TRY(thaw_optimizer_create(thaw_model_context(model), "adam", &optimizer));
    const thaw_status status = thaw_select_optimizer(model, "*", optimizer);
    thaw_optimizer_destroy(optimizer);
    return status;
}
