/* Attention by its definition: every score at once, in double precision. */
#ifndef THAW_TESTS_ATTENTION_H
#define THAW_TESTS_ATTENTION_H

#include "support/layer.h"

typedef struct attention_case {
    int64_t batch, heads, queries, keys, width, value_width; /* widths of one head */
    bool apart;                                              /* three inputs; else one, whose sizes are the queries' */
    bool causal, lengths, query_lengths;
    int64_t bias_heads; /* 0: no bias */
    double scale, dropout;
} attention_case;

/* A model whose last node is the layer, with an input for each of the node's. */
thaw_model *attention_model(thaw_context *context, const attention_case *c);

/* Opens its last node, and gives samples lengths from `shortest` to all rows. */
layer attention_open(thaw_model *model, const attention_case *c, const layer_wish *wish, int64_t shortest);

/* The scale of each weight by dropout, [batch][heads][queries][keys]: 0 or 1 / (1 - dropout), in the caller's memory
   (free). `origin` is the sample of the step that is the first of the batch. */
float *attention_scales(const layer *l, const attention_case *c, uint64_t origin);

/* Asserts that the layer's output, and of its gradients those that have a buffer, are what they should be: within
   `tolerance`. `scales` NULL: nothing was dropped. */
void attention_check(const layer *l, const attention_case *c, const float *scales, double tolerance);

#endif
