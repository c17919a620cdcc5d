#include "support/assorted_pieces.h"

#include "support/support.h"

enum { MOST_CHANNELS = 64 };

#define PIECE(name, call)                                                                  \
    static thaw_status name(thaw_model *model, thaw_node x, thaw_node other, thaw_node *y) \
    {                                                                                      \
        (void)other;                                                                       \
        return call;                                                                       \
    }

static int64_t channels_of(const thaw_model *model, thaw_node node)
{
    const thaw_shape *shape = thaw_model_node_shape(model, node);
    return shape->dims[shape->rank - 1];
}

#define CONV(name, ...)               \
    PIECE(name, thaw_conv2d(model, x, \
                            &(thaw_conv2d_options){ .filters = channels_of(model, x), .same = true, __VA_ARGS__ }, y))

CONV(conv, .kernel = { 3, 3 })
CONV(pointwise_conv, .kernel = { 1, 1 }, .no_bias = true)
CONV(depthwise_conv, .kernel = { 3, 3 }, .groups = channels_of(model, x))
CONV(grouped_conv, .kernel = { 5, 3 }, .groups = 2)
CONV(dilated_conv, .kernel = { 3, 3 }, .dilation = { 2, 1 })
PIECE(relu, thaw_relu(model, x, NULL, y))
PIECE(relu6, thaw_relu6(model, x, NULL, y))
PIECE(sigmoid, thaw_sigmoid(model, x, NULL, y))
PIECE(hyperbolic, thaw_tanh(model, x, NULL, y))
PIECE(gelu, thaw_gelu(model, x, NULL, y))
PIECE(silu, thaw_silu(model, x, NULL, y))
PIECE(leaky_relu, thaw_leaky_relu(model, x, NULL, y))
PIECE(softmax, thaw_softmax(model, x, NULL, y))
PIECE(log_softmax, thaw_log_softmax(model, x, NULL, y))
PIECE(dropout, thaw_dropout(model, x, &(thaw_dropout_options){ .rate = 0.3 }, y))
PIECE(batch_norm, thaw_batch_norm(model, x, NULL, y))
PIECE(following_norm, thaw_batch_norm(model, x, &(thaw_batch_norm_options){ .track_when_frozen = true }, y))
PIECE(layer_norm, thaw_layer_norm(model, x, NULL, y))
PIECE(group_norm, thaw_group_norm(model, x, &(thaw_group_norm_options){ .groups = 2 }, y))
PIECE(dense, thaw_dense(model, x, &(thaw_dense_options){ .units = channels_of(model, x) }, y))
PIECE(add, thaw_add(model, x, other, NULL, y))
PIECE(multiply, thaw_multiply(model, x, other, NULL, y))
PIECE(max_pool,
      thaw_max_pool2d(model, x, &(thaw_pool2d_options){ .kernel = { 3, 3 }, .stride = { 1, 1 }, .padding = { 1, 1 } },
                      y))
PIECE(average_pool,
      thaw_average_pool2d(model, x,
                          &(thaw_pool2d_options){ .kernel = { 3, 3 }, .stride = { 1, 1 }, .padding = { 1, 1 } }, y))
PIECE(line_conv,
      thaw_conv1d(model, x, &(thaw_conv1d_options){ .filters = channels_of(model, x), .kernel = 3, .same = true }, y))
PIECE(lstm, thaw_lstm(model, x, &(thaw_recurrent_options){ .units = channels_of(model, x) }, y))
PIECE(both_ways,
      thaw_gru(model, x, &(thaw_recurrent_options){ .units = channels_of(model, x) / 2, .bidirectional = true }, y))
PIECE(stack,
      thaw_lstm(model, x, &(thaw_recurrent_options){ .units = channels_of(model, x), .layers = 2, .dropout = 0.2 }, y))
PIECE(rms_norm, thaw_rms_norm(model, x, NULL, y))
PIECE(rotary,
      thaw_rotary(model, x, &(thaw_rotary_options){ .heads = 1, .head_size = channels_of(model, x) / 2 * 2 }, y))
PIECE(positions, thaw_positions(model, x, NULL, y))
PIECE(layer_scale, thaw_layer_scale(model, x, &(thaw_layer_scale_options){ .initial = 0.5 }, y))
PIECE(stochastic_depth, thaw_stochastic_depth(model, x, &(thaw_stochastic_depth_options){ .rate = 0.3 }, y))

/* Self-attention between its projections' width and the channels'. */
static thaw_status attend(thaw_model *model, thaw_node x, thaw_node other, thaw_node *y)
{
    (void)other;
    const thaw_dense_options projections = { .units = 3 * channels_of(model, x) };
    const thaw_attention_options options = { .heads = 2, .dropout = 0.1 };
    const thaw_status status = thaw_dense(model, x, &projections, y);
    return status == THAW_OK ? thaw_attention(model, y, 1, &options, y) : status;
}

/* A strided convolution, and back. */
static thaw_status down_and_up(thaw_model *model, thaw_node x, thaw_node other, thaw_node *y)
{
    (void)other;
    const int64_t channels = channels_of(model, x);
    const thaw_status status =
        thaw_conv2d(model, x,
                    &(thaw_conv2d_options){
                        .filters = channels, .kernel = { 3, 3 }, .stride = { 2, 2 }, .padding = { 1, 1 } },
                    y);
    const thaw_conv_transpose2d_options up = { .filters = channels, .kernel = { 2, 2 }, .stride = { 2, 2 } };
    return status == THAW_OK ? thaw_conv_transpose2d(model, *y, &up, y) : status;
}

static thaw_status shrink_and_resize(thaw_model *model, thaw_node x, thaw_node other, thaw_node *y)
{
    (void)other;
    const int64_t side = thaw_model_node_shape(model, x)->dims[0];
    const thaw_status status = thaw_max_pool2d(model, x, &(thaw_pool2d_options){ .kernel = { 2, 2 } }, y);
    const thaw_upsample2d_options up = { .size = { side, side }, .mode = THAW_UPSAMPLE_BILINEAR };
    return status == THAW_OK ? thaw_upsample2d(model, *y, &up, y) : status;
}

/* Less a constant row. */
static thaw_status center(thaw_model *model, thaw_node x, thaw_node other, thaw_node *y)
{
    (void)other;
    float values[MOST_CHANNELS];
    thaw_node constant;
    support_fill(values, MOST_CHANNELS, 77);
    const thaw_constant_options options = { .shape = { 1, { channels_of(model, x) } }, .values = values };
    const thaw_status status = thaw_constant(model, &options, &constant);
    return status == THAW_OK ? thaw_subtract(model, x, constant, NULL, y) : status;
}

/* Beside what came before, and back to the width. */
static thaw_status join(thaw_model *model, thaw_node x, thaw_node other, thaw_node *y)
{
    const thaw_status status =
        thaw_concatenate(model, (thaw_node[]){ x, other }, 2, &(thaw_concatenate_options){ .axis = -1 }, y);
    const thaw_dense_options back = { .units = channels_of(model, x) };
    return status == THAW_OK ? thaw_dense(model, *y, &back, y) : status;
}

/* Tokens before the sequence, without its last ones. */
static thaw_status shift(thaw_model *model, thaw_node x, thaw_node other, thaw_node *y)
{
    (void)other;
    const int64_t steps = thaw_model_node_shape(model, x)->dims[0];
    const thaw_status status = thaw_prepend_tokens(model, x, &(thaw_prepend_tokens_options){ .tokens = 2 }, y);
    return status == THAW_OK ? thaw_slice(model, *y, &(thaw_slice_options){ .begin = 1, .count = steps }, y) : status;
}

/* Times the mean of all steps, twice normalised. */
static thaw_status gate(thaw_model *model, thaw_node x, thaw_node other, thaw_node *y)
{
    (void)other;
    thaw_status status = thaw_sequence_mean(model, x, NULL, y);
    if (status == THAW_OK)
        status = thaw_l2_normalise(model, *y, NULL, y);
    if (status == THAW_OK)
        status = thaw_gelu_tanh(model, *y, NULL, y);
    return status == THAW_OK ? thaw_multiply(model, x, *y, NULL, y) : status;
}

/* As one row, and back. */
static thaw_status flatten_and_unflatten(thaw_model *model, thaw_node x, thaw_node other, thaw_node *y)
{
    (void)other;
    const thaw_shape shape = *thaw_model_node_shape(model, x);
    const thaw_status status = thaw_reshape(model, x, &(thaw_reshape_options){ .shape = { 1, { -1 } } }, y);
    return status == THAW_OK ? thaw_reshape(model, *y, &(thaw_reshape_options){ .shape = shape }, y) : status;
}

static assorted_piece *const image[] = {
    conv,  batch_norm,     relu,       depthwise_conv, following_norm, relu6,      down_and_up,  gelu,
    add,   grouped_conv,   layer_norm, silu,           max_pool,       dropout,    conv,         multiply,
    join,  pointwise_conv, group_norm, leaky_relu,     average_pool,   hyperbolic, dilated_conv, shrink_and_resize,
    dense, sigmoid,        center,     softmax,        depthwise_conv, log_softmax
};
static assorted_piece *const sequence[] = { line_conv,
                                            lstm,
                                            batch_norm,
                                            both_ways,
                                            dropout,
                                            layer_norm,
                                            stack,
                                            hyperbolic,
                                            add,
                                            softmax,
                                            join,
                                            attend,
                                            shift,
                                            positions,
                                            layer_scale,
                                            rms_norm,
                                            stochastic_depth,
                                            rotary,
                                            flatten_and_unflatten,
                                            gate };
static assorted_piece *const row[] = { dense, batch_norm, relu, dropout, join,   layer_norm,
                                       dense, gelu,       add,  dense,   center, multiply };

const assorted_pieces assorted_image_pieces = { image, THAW_COUNT(image) };
const assorted_pieces assorted_sequence_pieces = { sequence, THAW_COUNT(sequence) };
const assorted_pieces assorted_row_pieces = { row, THAW_COUNT(row) };
