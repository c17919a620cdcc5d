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

/* An image whose channels came first, as a sequence. */
static thaw_status patches(thaw_model *model, thaw_node x, thaw_node *y)
{
    const thaw_conv2d_options options = { .filters = 6, .kernel = { 2, 3 }, .stride = { 2, 3 } };
    const thaw_status status = thaw_conv2d(model, x, &options, y);
    return status == THAW_OK ? as_sequence(model, *y, y) : status;
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
    IMAGE(as_sequence),     IMAGE(patches),      SEQUENCE(last_step), SEQUENCE(some_columns),
    SEQUENCE(class_token),  SEQUENCE(registers), SEQUENCE(positions), SEQUENCE(more_positions),
    SEQUENCE(more_leading), SEQUENCE(scaled),    SEQUENCE(deep),
};

const size_t exported_token_network_count = THAW_COUNT(exported_token_networks);
