#include "support/layers.h"

static thaw_status dense_512(thaw_model *model, thaw_node x, thaw_node *y)
{
    return thaw_dense(model, x, &(thaw_dense_options){ .name = "measured", .units = 512 }, y);
}

static thaw_status dense_128(thaw_model *model, thaw_node x, thaw_node *y)
{
    return thaw_dense(model, x, &(thaw_dense_options){ .name = "measured", .units = 128 }, y);
}

static thaw_status dense_384(thaw_model *model, thaw_node x, thaw_node *y)
{
    return thaw_dense(model, x, &(thaw_dense_options){ .name = "measured", .units = 384 }, y);
}

static thaw_status dense_1152(thaw_model *model, thaw_node x, thaw_node *y)
{
    return thaw_dense(model, x, &(thaw_dense_options){ .name = "measured", .units = 1152 }, y);
}

static thaw_status dense_1536(thaw_model *model, thaw_node x, thaw_node *y)
{
    return thaw_dense(model, x, &(thaw_dense_options){ .name = "measured", .units = 1536 }, y);
}

static thaw_status conv_3x3(thaw_model *model, thaw_node x, thaw_node *y)
{
    const thaw_conv2d_options options = {
        .name = "measured",
        .filters = thaw_model_node_shape(model, x)->dims[2],
        .kernel = { 3, 3 },
        .padding = { 1, 1 },
    };
    return thaw_conv2d(model, x, &options, y);
}

static thaw_status depthwise_3x3(thaw_model *model, thaw_node x, thaw_node *y)
{
    const int64_t channels = thaw_model_node_shape(model, x)->dims[2];
    const thaw_conv2d_options options = {
        .name = "measured",
        .filters = channels,
        .kernel = { 3, 3 },
        .padding = { 1, 1 },
        .groups = channels,
    };
    return thaw_conv2d(model, x, &options, y);
}

static thaw_status batch_norm(thaw_model *model, thaw_node x, thaw_node *y)
{
    return thaw_batch_norm(model, x, &(thaw_batch_norm_options){ .name = "measured" }, y);
}

static thaw_status max_pool(thaw_model *model, thaw_node x, thaw_node *y)
{
    return thaw_max_pool2d(model, x, &(thaw_pool2d_options){ .name = "measured", .kernel = { 2, 2 } }, y);
}

static thaw_status global_average(thaw_model *model, thaw_node x, thaw_node *y)
{
    return thaw_global_average_pool2d(model, x, &(thaw_simple_options){ .name = "measured" }, y);
}

static thaw_status relu(thaw_model *model, thaw_node x, thaw_node *y)
{
    return thaw_relu(model, x, &(thaw_simple_options){ .name = "measured" }, y);
}

static thaw_status gelu(thaw_model *model, thaw_node x, thaw_node *y)
{
    return thaw_gelu(model, x, &(thaw_simple_options){ .name = "measured" }, y);
}

static thaw_status dropout(thaw_model *model, thaw_node x, thaw_node *y)
{
    return thaw_dropout(model, x, &(thaw_dropout_options){ .name = "measured", .rate = 0.5 }, y);
}

static thaw_status upsample(thaw_model *model, thaw_node x, thaw_node *y)
{
    return thaw_upsample2d(model, x, &(thaw_upsample2d_options){ .name = "measured", .scale = { 2, 2 } }, y);
}

static thaw_status lstm(thaw_model *model, thaw_node x, thaw_node *y)
{
    return thaw_lstm(model, x, &(thaw_recurrent_options){ .name = "measured", .units = 256 }, y);
}

static thaw_status layer_norm(thaw_model *model, thaw_node x, thaw_node *y)
{
    return thaw_layer_norm(model, x, &(thaw_layer_norm_options){ .name = "measured" }, y);
}

static thaw_status rms_norm(thaw_model *model, thaw_node x, thaw_node *y)
{
    return thaw_rms_norm(model, x, &(thaw_rms_norm_options){ .name = "measured" }, y);
}

static thaw_status softmax(thaw_model *model, thaw_node x, thaw_node *y)
{
    return thaw_softmax(model, x, &(thaw_simple_options){ .name = "measured" }, y);
}

/* Self-attention of packed rows, with heads of `width`. */
static thaw_status attend(thaw_model *model, thaw_node x, int64_t width, bool causal, thaw_node *y)
{
    const thaw_attention_options options = {
        .name = "measured",
        .heads = thaw_model_node_shape(model, x)->dims[1] / 3 / width,
        .causal = causal,
    };
    return thaw_attention(model, &x, 1, &options, y);
}

static thaw_status attention_32(thaw_model *model, thaw_node x, thaw_node *y)
{
    return attend(model, x, 32, false, y);
}

static thaw_status attention_64(thaw_model *model, thaw_node x, thaw_node *y)
{
    return attend(model, x, 64, false, y);
}

static thaw_status causal_attention_64(thaw_model *model, thaw_node x, thaw_node *y)
{
    return attend(model, x, 64, true, y);
}

#define VECTOR(n)                 \
    {                             \
        .rank = 1, .dims = {(n) } \
    }
#define SEQUENCE(steps, n)                 \
    {                                      \
        .rank = 2, .dims = {(steps), (n) } \
    }
#define IMAGE(side, channels)                            \
    {                                                    \
        .rank = 3, .dims = {(side), (side), (channels) } \
    }

const bench_layer bench_layers[] = {
    { "dense 784 to 512", VECTOR(784), 128, dense_512 },
    { "dense 4608 to 128", VECTOR(4608), 128, dense_128 },
    { "dense 197 x 384 to 384", SEQUENCE(197, 384), 16, dense_384 },
    { "dense 197 x 384 to 1152", SEQUENCE(197, 384), 16, dense_1152 },
    { "dense 197 x 384 to 1536", SEQUENCE(197, 384), 16, dense_1536 },
    { "dense 197 x 1536 to 384", SEQUENCE(197, 1536), 16, dense_384 },
    { "conv 3x3, 32, 26x26", IMAGE(26, 32), 128, conv_3x3 },
    { "conv 3x3, 64, 56x56", IMAGE(56, 64), 16, conv_3x3 },
    { "conv 3x3, 256, 14x14", IMAGE(14, 256), 16, conv_3x3 },
    { "depthwise 3x3, 96, 56x56", IMAGE(56, 96), 16, depthwise_3x3 },
    { "batch norm, 64, 56x56", IMAGE(56, 64), 16, batch_norm },
    { "max pool 2, 64, 56x56", IMAGE(56, 64), 16, max_pool },
    { "global pool, 512, 7x7", IMAGE(7, 512), 16, global_average },
    { "ReLU, 64, 56x56", IMAGE(56, 64), 16, relu },
    { "GELU, 64, 56x56", IMAGE(56, 64), 16, gelu },
    { "dropout, 64, 56x56", IMAGE(56, 64), 16, dropout },
    { "upsample 2, 64, 28x28", IMAGE(28, 64), 16, upsample },
    { "LSTM 64 to 256, 50 steps", SEQUENCE(50, 64), 32, lstm },
    { "attention 197, 6 x 64", SEQUENCE(197, 3 * 384), 16, attention_64 },
    { "attention 128, 12 x 32", SEQUENCE(128, 3 * 384), 32, attention_32 },
    { "attention 64, 12 x 64 (c)", SEQUENCE(64, 3 * 768), 4, causal_attention_64 },
    { "attention 1024, 12 x 64 (c)", SEQUENCE(1024, 3 * 768), 1, causal_attention_64 },
    { "layer norm 197, 384", SEQUENCE(197, 384), 16, layer_norm },
    { "RMS norm 197, 384", SEQUENCE(197, 384), 16, rms_norm },
    { "GELU 197, 1536", SEQUENCE(197, 1536), 16, gelu },
    { "softmax 197, 384", SEQUENCE(197, 384), 16, softmax },
};

const size_t bench_layer_count = THAW_COUNT(bench_layers);
