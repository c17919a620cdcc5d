#include "export/networks.h"

#include "support/random_network.h"

#define NETWORK(name, call)                                               \
    static thaw_status name(thaw_model *model, thaw_node x, thaw_node *y) \
    {                                                                     \
        return call;                                                      \
    }

/* ---------------------------------------------------------------- convolutions and pooling */

NETWORK(same_even,
        thaw_conv2d(model, x,
                    &(thaw_conv2d_options){ .filters = 4, .kernel = { 4, 2 }, .same = true, .dilation = { 1, 3 } }, y))
NETWORK(strided, thaw_conv2d(model, x,
                             &(thaw_conv2d_options){ .filters = 6,
                                                     .kernel = { 3, 2 },
                                                     .stride = { 2, 3 },
                                                     .padding = { 1, 2 },
                                                     .dilation = { 2, 1 },
                                                     .groups = 2,
                                                     .no_bias = true },
                             y))
NETWORK(line,
        thaw_conv1d(model, x,
                    &(thaw_conv1d_options){ .filters = 3, .kernel = 4, .stride = 2, .padding = 3, .dilation = 2 }, y))
NETWORK(line_same, thaw_conv1d(model, x, &(thaw_conv1d_options){ .filters = 3, .kernel = 4, .same = true }, y))
NETWORK(transposed, thaw_conv_transpose2d(model, x,
                                          &(thaw_conv_transpose2d_options){ .filters = 4,
                                                                            .kernel = { 3, 2 },
                                                                            .stride = { 2, 3 },
                                                                            .padding = { 1, 0 },
                                                                            .output_padding = { 1, 2 },
                                                                            .dilation = { 2, 1 },
                                                                            .groups = 2 },
                                          y))
#define POOL(name, kind, ...) NETWORK(name, kind(model, x, &(thaw_pool2d_options){ __VA_ARGS__ }, y))
POOL(max_ceil, thaw_max_pool2d, .kernel = { 3, 2 }, .stride = { 2, 2 }, .padding = { 1, 1 }, .ceil_mode = true)
POOL(max_far, thaw_max_pool2d, .kernel = { 2, 2 }, .stride = { 4, 4 }, .dilation = { 3, 3 }, .ceil_mode = true)
POOL(average, thaw_average_pool2d, .kernel = { 3, 3 }, .stride = { 2, 2 }, .padding = { 1, 1 })
POOL(average_inside, thaw_average_pool2d, .kernel = { 3, 3 }, .stride = { 2, 2 }, .padding = { 1, 1 },
     .ceil_mode = true, .exclude_padding = true)
POOL(average_ceil, thaw_average_pool2d, .kernel = { 3, 3 }, .stride = { 3, 2 }, .padding = { 1, 1 }, .ceil_mode = true)
POOL(average_beyond, thaw_average_pool2d, .kernel = { 4, 4 }, .stride = { 3, 3 }, .ceil_mode = true)

#define RESIZE(name, ...) NETWORK(name, thaw_upsample2d(model, x, &(thaw_upsample2d_options){ __VA_ARGS__ }, y))
RESIZE(nearest, .scale = { 3, 2 })
RESIZE(nearest_odd, .size = { 17, 3 })
RESIZE(bilinear, .scale = { 2, 3 }, .mode = THAW_UPSAMPLE_BILINEAR)
RESIZE(bilinear_odd, .size = { 4, 13 }, .mode = THAW_UPSAMPLE_BILINEAR)
RESIZE(bilinear_corners, .size = { 13, 3 }, .mode = THAW_UPSAMPLE_BILINEAR, .align_corners = true)
RESIZE(bilinear_one, .size = { 1, 1 }, .mode = THAW_UPSAMPLE_BILINEAR)

/* ---------------------------------------------------------------- normalisations */

NETWORK(plain_batch_norm, thaw_batch_norm(model, x, &(thaw_batch_norm_options){ .no_affine = true, .epsilon = 0.1 }, y))
NETWORK(batch_norm, thaw_batch_norm(model, x, NULL, y))
NETWORK(layer_norm, thaw_layer_norm(model, x, &(thaw_layer_norm_options){ .no_bias = true, .epsilon = 0.01 }, y))
NETWORK(whole_layer_norm, thaw_layer_norm(model, x, &(thaw_layer_norm_options){ .dimensions = 3 }, y))
NETWORK(plain_layer_norm,
        thaw_layer_norm(model, x, &(thaw_layer_norm_options){ .dimensions = 2, .no_affine = true }, y))
NETWORK(group_norm, thaw_group_norm(model, x, &(thaw_group_norm_options){ .groups = 3 }, y))
NETWORK(plain_group_norm, thaw_group_norm(model, x, &(thaw_group_norm_options){ .groups = 2, .no_affine = true }, y))

/* ---------------------------------------------------------------- rows, products of rows, functions */

NETWORK(dense, thaw_dense(model, x, &(thaw_dense_options){ .units = 4 }, y))
NETWORK(plain_dense, thaw_dense(model, x, &(thaw_dense_options){ .units = 4, .no_bias = true }, y))
NETWORK(softmax, thaw_softmax(model, x, NULL, y))
NETWORK(log_softmax, thaw_log_softmax(model, x, NULL, y))
NETWORK(leaky, thaw_leaky_relu(model, x, &(thaw_leaky_relu_options){ .negative_slope = -0.5 }, y))
NETWORK(flat, thaw_flatten(model, x, NULL, y))
NETWORK(mean, thaw_global_average_pool2d(model, x, NULL, y))
NETWORK(dropped, thaw_dropout(model, x, &(thaw_dropout_options){ .rate = 0.5 }, y))
NETWORK(embedded, thaw_embedding(model, x, &(thaw_embedding_options){ .rows = EXPORTED_IDS, .width = 3 }, y))

/* An embedding of what is one number a sample, in the end. */
static thaw_status tiny(thaw_model *model, thaw_node x, thaw_node *y)
{
    thaw_status status = thaw_embedding(model, x, &(thaw_embedding_options){ .rows = EXPORTED_IDS, .width = 4 }, y);
    if (status == THAW_OK)
        status = thaw_gru(model, *y, &(thaw_recurrent_options){ .units = 3, .last_only = true, .no_bias = true }, y);
    return status == THAW_OK ? thaw_softmax_cross_entropy(model, *y, NULL, y) : status;
}

/* ---------------------------------------------------------------- sums, products and concatenations */

static const float numbers[] = { 0.5F, -1.25F, 2, -3, 0.75F, 1.5F, -0.125F, 4, -2, 1, 3,  -0.5F,
                                 0.5F, 1.25F,  2, 3,  0.25F, 1.5F, 0.125F,  4, 2,  1, -3, 0.5F };

thaw_status exported_constant(thaw_model *model, const thaw_shape *shape, thaw_node *y)
{
    return thaw_constant(model, &(thaw_constant_options){ .shape = *shape, .values = numbers }, y);
}

#define WITH_CONSTANT(name, function, ...)                                                               \
    static thaw_status name(thaw_model *model, thaw_node x, thaw_node *y)                                \
    {                                                                                                    \
        thaw_node other;                                                                                 \
        const thaw_status status = exported_constant(model, &(const thaw_shape){ __VA_ARGS__ }, &other); \
        return status == THAW_OK ? function(model, x, other, NULL, y) : status;                          \
    }
WITH_CONSTANT(plus_channel, thaw_add, 1, { 6 })
WITH_CONSTANT(minus_column, thaw_subtract, 3, { 7, 1, 1 })
WITH_CONSTANT(times_number, thaw_multiply, 0, { 0 })
WITH_CONSTANT(times_row, thaw_multiply, 2, { 1, 6 })

/* The smaller operand first, and a mean of each channel as a gate of all its positions. */
static thaw_status gated(thaw_model *model, thaw_node x, thaw_node *y)
{
    thaw_node wide, gate;
    thaw_status status = same_even(model, x, &wide);
    if (status == THAW_OK)
        status = thaw_global_average_pool2d(model, wide, NULL, &gate);
    if (status == THAW_OK)
        status = thaw_sigmoid(model, gate, NULL, &gate);
    return status == THAW_OK ? thaw_subtract(model, gate, wide, NULL, y) : status;
}

static thaw_status join(thaw_model *model, thaw_node x, int axis, thaw_node *y)
{
    thaw_node parts[3];
    thaw_status status = thaw_relu(model, x, NULL, &parts[0]);
    if (status == THAW_OK)
        status = thaw_softmax(model, x, NULL, &parts[1]);
    parts[2] = x;
    return status == THAW_OK ? thaw_concatenate(model, parts, 3, &(thaw_concatenate_options){ .axis = axis }, y)
                             : status;
}
NETWORK(joined_rows, join(model, x, 0, y))
NETWORK(joined_columns, join(model, x, 1, y))
NETWORK(joined_channels, join(model, x, -1, y))

/* Both orders of one value are used, and the first is another layer's. */
static thaw_status both_orders(thaw_model *model, thaw_node x, thaw_node *y)
{
    thaw_node wide, norm;
    thaw_status status = same_even(model, x, &wide);
    if (status == THAW_OK)
        status = thaw_layer_norm(model, wide, NULL, &norm);
    return status == THAW_OK ? thaw_add(model, norm, wide, NULL, y) : status;
}

/* ---------------------------------------------------------------- recurrent layers */

#define RECURRENT(name, kind, ...) \
    NETWORK(name, kind(model, x, &(thaw_recurrent_options){ .units = 5, __VA_ARGS__ }, y))
RECURRENT(lstm, thaw_lstm, .layers = 2, .bidirectional = true)
RECURRENT(lstm_last, thaw_lstm, .layers = 2, .bidirectional = true, .last_only = true, .dropout = 0.5)
RECURRENT(lstm_plain, thaw_lstm, .no_bias = true)
RECURRENT(gru, thaw_gru, .layers = 2, .bidirectional = true)
RECURRENT(gru_last, thaw_gru, .bidirectional = true, .last_only = true)

/* The initial states are a dense layer's output and a constant. */
static thaw_status lstm_from(thaw_model *model, thaw_node x, thaw_node *y)
{
    thaw_node initial[2];
    thaw_status status = exported_constant(model, &(thaw_shape){ 2, { 4, 5 } }, &initial[0]);
    if (status == THAW_OK)
        status = thaw_tanh(model, initial[0], NULL, &initial[1]);
    const thaw_recurrent_options options = {
        .units = 5, .layers = 2, .bidirectional = true, .initial = initial, .initial_count = 2
    };
    return status == THAW_OK ? thaw_lstm(model, x, &options, y) : status;
}

static thaw_status gru_from(thaw_model *model, thaw_node x, thaw_node *y)
{
    thaw_node initial;
    thaw_status status = exported_constant(model, &(thaw_shape){ 1, { 5 } }, &initial);
    const thaw_recurrent_options options = { .units = 5, .initial = &initial, .initial_count = 1 };
    return status == THAW_OK ? thaw_gru(model, x, &options, y) : status;
}

/* ---------------------------------------------------------------- the list */

#define IMAGE(network)                               \
    {                                                \
#network, { 3, { 7, 9, 6 } }, false, network \
    }
#define SEQUENCE(network)                         \
    {                                             \
#network, { 2, { 8, 6 } }, false, network \
    }
#define ROW(network)                                      \
    {                                                     \
#network "_of_rows", { 1, { 6 } }, false, network \
    }
#define STEPS(network)                                        \
    {                                                         \
#network "_of_steps", { 2, { 8, 6 } }, false, network \
    }
#define IDS(network)                          \
    {                                         \
#network, { 1, { 5 } }, true, network \
    }

static const exported_network networks[] = {
    IMAGE(same_even),
    IMAGE(strided),
    SEQUENCE(line),
    SEQUENCE(line_same),
    IMAGE(transposed),
    IMAGE(max_ceil),
    IMAGE(max_far),
    IMAGE(average),
    IMAGE(average_inside),
    IMAGE(average_ceil),
    IMAGE(average_beyond),
    IMAGE(nearest),
    IMAGE(nearest_odd),
    IMAGE(bilinear),
    IMAGE(bilinear_odd),
    IMAGE(bilinear_corners),
    IMAGE(bilinear_one),
    IMAGE(plain_batch_norm),
    IMAGE(batch_norm),
    ROW(batch_norm),
    STEPS(batch_norm),
    IMAGE(layer_norm),
    ROW(layer_norm),
    IMAGE(whole_layer_norm),
    IMAGE(plain_layer_norm),
    IMAGE(group_norm),
    ROW(group_norm),
    STEPS(group_norm),
    IMAGE(plain_group_norm),
    IMAGE(dense),
    ROW(dense),
    STEPS(dense),
    IMAGE(plain_dense),
    ROW(plain_dense),
    IMAGE(softmax),
    STEPS(log_softmax),
    IMAGE(leaky),
    IMAGE(flat),
    ROW(flat),
    IMAGE(mean),
    IMAGE(dropped),
    ROW(dropped),
    IDS(embedded),
    IDS(tiny),
    IMAGE(plus_channel),
    IMAGE(minus_column),
    IMAGE(times_number),
    IMAGE(times_row),
    STEPS(times_row),
    IMAGE(gated),
    IMAGE(joined_rows),
    IMAGE(joined_columns),
    IMAGE(joined_channels),
    STEPS(joined_channels),
    IMAGE(both_orders),
    SEQUENCE(lstm),
    SEQUENCE(lstm_last),
    SEQUENCE(lstm_plain),
    SEQUENCE(gru),
    SEQUENCE(gru_last),
    SEQUENCE(lstm_from),
    SEQUENCE(gru_from),
};

size_t exported_network_count(void)
{
    return THAW_COUNT(networks) + exported_token_network_count;
}

const exported_network *exported_network_at(size_t index)
{
    return index < THAW_COUNT(networks) ? &networks[index] : &exported_token_networks[index - THAW_COUNT(networks)];
}

thaw_model *exported_network_build(thaw_context *context, size_t index)
{
    const exported_network *network = exported_network_at(index);
    thaw_model *model;
    thaw_node x;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &network->sample, &x));
    assert_ok(context, network->append(model, x, &x));
    random_parameters(model);
    return model;
}
