/* Scaled dot-product attention without a matrix of queries by keys: softmax(scale * q k^T + bias) v for each head, over
   blocks of keys, with a maximum and a sum for each query that follow from block to block (Rabe & Staats 2021, arXiv
   2112.05682; Dao et al. 2022, "FlashAttention", arXiv 2205.14135). Backward computes the weights of a block again from
   the logarithm of each query's sum (Dao 2023, "FlashAttention-2", arXiv 2307.08691).

   A query's result, and each element of a gradient, is summed in an order that depends on the sizes alone. */
#ifndef THAW_KERNELS_ATTENTION_H
#define THAW_KERNELS_ATTENTION_H

#include <thaw/runtime.h>
#include <thaw/tensor.h>

/* The sizes of a problem. */
typedef struct thaw_attention_sizes {
    size_t batch, heads, queries, keys;
    size_t width, value_width; /* of one head's query and key, and of its value */
    float scale;
    bool causal;          /* a query counts the keys up to its own place */
    size_t bias_heads;    /* of the bias: 0 (there is none), 1 or `heads` */
    thaw_dtype precision; /* of all but lengths, the bias and its gradient */
    uint32_t threshold;   /* of dropout: a number of 24 bits below it drops its weight; 0: no dropout */
    float kept_scale;     /* of weights that stay */
} thaw_attention_sizes;

/* Rows of all heads side by side, `stride` elements apart; a sample's rows follow the previous sample's. NULL: none. */
typedef struct thaw_attention_rows {
    void *values;
    size_t stride;
} thaw_attention_rows;

/* One call. Backward reads all but `log_sums` of forward, and writes the gradients that are not NULL. */
typedef struct thaw_attention_job {
    const thaw_attention_sizes *of;
    thaw_context *context;
    thaw_attention_rows query, key, value, output;
    const float *key_lengths, *query_lengths; /* of each sample; NULL: all count. Rows behind them are not read, and
                                             their output and gradients are zeros */
    const float *bias;                        /* [batch][bias_heads][queries][keys] */
    thaw_stream random;                       /* of dropout; its origin is the step's first sample */
    float *log_sums;                          /* [batch][heads][queries]; NULL: not kept */

    thaw_attention_rows output_gradient, query_gradient, key_gradient, value_gradient;
    float *bias_gradient; /* as `bias` */
} thaw_attention_job;

/* The scratch memory that a call needs on the context's threads. */
size_t thaw_attention_forward_bytes(thaw_context *context, const thaw_attention_sizes *of);
size_t thaw_attention_backward_bytes(thaw_context *context, const thaw_attention_sizes *of);

/* Run a job on the context's threads. `scratch` is aligned to 64 bytes. */
void thaw_attention_forward(const thaw_attention_job *job, float *scratch);
void thaw_attention_backward(const thaw_attention_job *job, float *scratch);

#endif
