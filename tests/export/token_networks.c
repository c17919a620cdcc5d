#include "export/networks.h"

#define NETWORK(name, call)                                               \
    static thaw_status name(thaw_model *model, thaw_node x, thaw_node *y) \
    {                                                                     \
        return call;                                                      \
    }

NETWORK(as_sequence, thaw_reshape(model, x, &(thaw_reshape_options){ .shape = { 2, { -1, 6 } } }, y))
NETWORK(last_step, thaw_slice(model, x, &(thaw_slice_options){ .begin = -1, .squeeze = true }, y))
NETWORK(some_columns, thaw_slice(model, x, &(thaw_slice_options){ .axis = 1, .begin = 2, .count = 3 }, y))
NETWORK(class_token,
        thaw_prepend_tokens(model, x, &(thaw_prepend_tokens_options){ .parameter = "cls_token", .leading = true }, y))
NETWORK(registers, thaw_prepend_tokens(model, x, &(thaw_prepend_tokens_options){ .tokens = 3 }, y))
NETWORK(positions, thaw_positions(model, x, &(thaw_positions_options){ .leading = true }, y))
NETWORK(more_positions, thaw_positions(model, x, &(thaw_positions_options){ .rows = 11 }, y))
NETWORK(more_leading, thaw_positions(model, x, &(thaw_positions_options){ .rows = 11, .leading = true }, y))
NETWORK(scaled, thaw_layer_scale(model, x, NULL, y))
NETWORK(deep, thaw_stochastic_depth(model, x, &(thaw_stochastic_depth_options){ .rate = 0.5 }, y))
NETWORK(approximate, thaw_gelu_tanh(model, x, NULL, y))
NETWORK(rms_norm, thaw_rms_norm(model, x, &(thaw_rms_norm_options){ .epsilon = 0.01 }, y))
NETWORK(plain_rms_norm, thaw_rms_norm(model, x, &(thaw_rms_norm_options){ .no_weight = true }, y))
NETWORK(normalised, thaw_l2_normalise(model, x, NULL, y))
NETWORK(rotary, thaw_rotary(model, x, &(thaw_rotary_options){ .heads = 2, .head_size = 3, .rotated = 2 }, y))
NETWORK(interleaved,
        thaw_rotary(model, x, &(thaw_rotary_options){ .heads = 1, .head_size = 4, .interleaved = true }, y))
NETWORK(mean_of_steps, thaw_sequence_mean(model, x, NULL, y))

/* The first steps count. */
static thaw_status mean_of_some(thaw_model *model, thaw_node x, thaw_node *y)
{
    thaw_node lengths;
    const thaw_constant_options three = { .shape = { 1, { 1 } }, .values = (const float[]){ 3 } };
    const thaw_status status = thaw_constant(model, &three, &lengths);
    return status == THAW_OK ? thaw_sequence_mean(model, x, &(thaw_sequence_mean_options){ .lengths = &lengths }, y)
                             : status;
}

/* An image whose channels came first, as a sequence. */
static thaw_status patches(thaw_model *model, thaw_node x, thaw_node *y)
{
    const thaw_conv2d_options options = { .filters = 6, .kernel = { 2, 3 }, .stride = { 2, 3 } };
    const thaw_status status = thaw_conv2d(model, x, &options, y);
    return status == THAW_OK ? as_sequence(model, *y, y) : status;
}

NETWORK(attention, thaw_attention(model, &x, 1, &(thaw_attention_options){ .heads = 2, .dropout = 0.5 }, y))
NETWORK(causal_attention, thaw_attention(model, &x, 1, &(thaw_attention_options){ .heads = 1, .causal = true }, y))

/* Lengths of keys and queries, a bias, and values of another width. */
static thaw_status cross_attention(thaw_model *model, thaw_node x, thaw_node *y)
{
    static const float two = 2;
    thaw_node rows[3] = { x }, length, bias;
    thaw_status status =
        thaw_constant(model, &(thaw_constant_options){ .shape = { 1, { 1 } }, .values = &two }, &length);
    if (status == THAW_OK)
        status = exported_constant(model, &(thaw_shape){ 2, { 3, 6 } }, &rows[1]);
    if (status == THAW_OK)
        status = exported_constant(model, &(thaw_shape){ 2, { 3, 4 } }, &rows[2]);
    if (status == THAW_OK)
        status = exported_constant(model, &(thaw_shape){ 3, { 1, 8, 3 } }, &bias);
    const thaw_attention_options o = { .heads = 2, .lengths = &length, .query_lengths = &length, .bias = &bias };
    return status == THAW_OK ? thaw_attention(model, rows, 3, &o, y) : status;
}

#define IMAGE(network)                               \
    {                                                \
#network, { 3, { 7, 9, 6 } }, false, network \
    }
#define SEQUENCE(network)                         \
    {                                             \
#network, { 2, { 8, 6 } }, false, network \
    }

const exported_network exported_token_networks[] = {
    IMAGE(as_sequence),        IMAGE(patches),           SEQUENCE(last_step),
    SEQUENCE(some_columns),    SEQUENCE(class_token),    SEQUENCE(registers),
    SEQUENCE(positions),       SEQUENCE(more_positions), SEQUENCE(more_leading),
    SEQUENCE(scaled),          SEQUENCE(deep),           SEQUENCE(approximate),
    SEQUENCE(rms_norm),        IMAGE(plain_rms_norm),    SEQUENCE(normalised),
    SEQUENCE(rotary),          SEQUENCE(interleaved),    SEQUENCE(mean_of_steps),
    SEQUENCE(mean_of_some),    SEQUENCE(attention),      SEQUENCE(causal_attention),
    SEQUENCE(cross_attention),
};

const size_t exported_token_network_count = THAW_COUNT(exported_token_networks);
