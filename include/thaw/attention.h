/* Attention, the layer of transformers. What thaw/layers.h says of layers holds for it. */
#ifndef THAW_ATTENTION_H
#define THAW_ATTENTION_H

#include <thaw/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Options of thaw_attention. */
typedef struct thaw_attention_options {
    const char *name; /* NULL: the kind and a number */
    int64_t heads;    /* required; divides the widths */
    double scale;     /* of the products of queries and keys; 0: 1 / sqrt(width of a head) */
    bool causal;      /* query i counts keys 0 to i only, as PyTorch's is_causal */

    /* How many keys of a sample count, a node of shape [1] of whole numbers from 0 to Tk, as floats. NULL: all. */
    const thaw_node *lengths;
    /* How many queries of a sample count, likewise. NULL: as many as keys if there is one input, all if there are
       three. Self-attention with projections apart passes the same node twice. */
    const thaw_node *query_lengths;

    const thaw_node *bias; /* added to the scaled products, a node of shape [heads or 1, Tq, Tk]. NULL: none */
    double dropout; /* share of weights that training zeroes; 0 <= dropout < 1. Others grow by 1 / (1 - dropout) */
    bool drop_when_frozen; /* as in thaw_dropout_options */
} thaw_attention_options;

/* Scaled dot-product attention, for each head softmax(scale q k^T + bias) v, as PyTorch's scaled_dot_product_attention.
   Vaswani et al. 2017, arXiv 1706.03762. The layer has no parameters: dense layers around it are the projections.

   Either there is one input [T, 3 * E]: the queries of all heads, their keys, and their values side by side, as timm's
   and GPT-2's qkv. Or there are three: queries [Tq, E], keys [Tk, E] and values [Tk, Ev]. The output is [Tq, Ev].

   Rows behind a sample's length are not read: such keys have no weight, and such queries have zeros as their output.
   The gradients of both are zeros. A query that counts no key, because the sample's length is 0 or all its biases are
   -infinity, also has zeros.

   No matrix of queries by keys is kept: forward computes the softmax over blocks of keys (Dao et al. 2022, arXiv
   2205.14135), and backward repeats it from one number for each query and head, which only training keeps. A bias has
   this size, and so has its gradient, which is written if anything below it trains.

   Dropout draws a number for each weight, by its sample's place in the step, its head, query and key.

   Errors: THAW_SHAPE_MISMATCH (an input), THAW_INVALID_ARGUMENT (the number of inputs, heads, scale, dropout; when a
   step is compiled: something below lengths trains, but they have no gradient; when a batch is computed: a length that
   is not a whole number from 0 to the number of rows). */
THAW_API thaw_status thaw_attention(thaw_model *model, const thaw_node *inputs, size_t input_count,
                                    const thaw_attention_options *options, thaw_node *output);

#ifdef __cplusplus
}
#endif

#endif
