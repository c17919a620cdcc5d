/* What an attention node keeps of its options. */
#ifndef THAW_LAYERS_ATTENTION_H
#define THAW_LAYERS_ATTENTION_H

#include <thaw/layer_module.h>

/* Inputs are rows, one packed or three, then lengths, query_lengths and bias, if there are any. */
typedef struct thaw_attention_node {
    int64_t heads;
    double scale, dropout;
    bool causal, drop_when_frozen;
    size_t rows; /* inputs of rows: 1 or 3 */
    bool lengths, query_lengths, bias;
} thaw_attention_node;

/* What the node's inputs are, and their sizes. */
typedef struct thaw_attention_inputs {
    size_t lengths, query_lengths, bias; /* indices of inputs; 0: none */
    int64_t queries, keys;
    int64_t width, value_width; /* of all heads */
} thaw_attention_inputs;

/* Reads shapes that the layer's `build` has accepted. */
static inline thaw_attention_inputs thaw_attention_read(const thaw_attention_node *node, const thaw_shape *inputs)
{
    const bool packed = node->rows == 1;
    size_t next = node->rows;
    thaw_attention_inputs read = {
        .queries = inputs[0].dims[0],
        .keys = inputs[packed ? 0 : 1].dims[0],
        .width = packed ? inputs[0].dims[1] / 3 : inputs[0].dims[1],
        .value_width = packed ? inputs[0].dims[1] / 3 : inputs[2].dims[1],
    };
    if (node->lengths)
        read.lengths = next++;
    read.query_lengths = node->query_lengths ? next++ : packed ? read.lengths : 0;
    if (node->bias)
        read.bias = next;
    return read;
}

/* The factor of the products of queries and keys. */
double thaw_attention_scale(const thaw_attention_node *node, int64_t width);

/* Writes the layer as products and a softmax. */
thaw_status thaw_attention_export(const thaw_layer_export *layer);

#endif
