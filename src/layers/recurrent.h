/* Shared by the recurrent layers, LSTM and GRU. A node is one direction of one layer. thaw_recurrent_append makes
   stacks and pairs of directions from nodes.

   Sequences stay [batch, steps, features] as in the graph. For the matrix products over all steps this makes no
   difference, and those of one step are as fast on rows that are far apart.

   oneDNN has no fast kernel of its own for training in float32, and its LSTM for inference does not justify a second
   implementation: 2.6.3, one core with AVX512_BF16 shared with other work, milliseconds, steps x batch, features to
   units, oneDNN's LSTM and thaw_predict with this one, which also copies and converts inputs and outputs.
                       float32        bfloat16
     50x32 64-256      5.13   5.06    2.58   2.87
     50x32 256-256     7.52   8.12    4.07   4.20
     30x128 128-512    50.8   56.7    25.3   24.6
     100x8 300-1024    92.1   64.1    27.4   27.0
     100x1 256-256     2.07   1.12    1.14   0.70
     20x16 32-32       0.041  0.040   0.036  0.033 */
#ifndef THAW_LAYERS_RECURRENT_H
#define THAW_LAYERS_RECURRENT_H

#include <thaw/layer_capabilities.h>
#include <thaw/layer_module.h>
#include <thaw/layers.h>

#include "kernels/recurrent_kernels.h"
#include "layers/gate_panels.h"
#include "onednn/inner_product.h"

/* The options of a node. */
typedef struct thaw_recurrent_node {
    thaw_cell_kind cell;
    int64_t units;
    int64_t place, places; /* of its initial state among those of the whole stack */
    bool reverse, last_only, no_bias;
    thaw_initializer initializer, bias_initializer;
    const char *path, *suffix; /* of its parameters' names; read only when it is built */
} thaw_recurrent_node;

enum { THAW_WEIGHT_INPUT, THAW_WEIGHT_HIDDEN, THAW_BIAS_INPUT, THAW_BIAS_HIDDEN };

/* Where the parts of packed memory, workspace and scratch begin, in bytes. */
typedef struct thaw_recurrent_layout {
    size_t panels, bias;                            /* packed: of the hidden state's part */
    size_t input_panels, input_bias;                /* packed, for inference: of the input's */
    size_t backward_panels, input_weight;           /* packed, for training */
    size_t gates, hidden_gates, hidden, cell_state; /* workspace in training, scratch in inference */
    size_t alternating;          /* scratch of inference with last_only: the hidden states of two steps */
    size_t none, carry, kernels; /* scratch of training: a row of zeros; for backward; for oneDNN */
    size_t packed_bytes, workspace_bytes, scratch_bytes;
} thaw_recurrent_layout;

/* A node as it was prepared. */
typedef struct thaw_recurrent {
    thaw_panel_product_function *product;
    thaw_panel_product_bfloat16_function *product_bfloat16;
    const thaw_cell *cell;
    thaw_dtype precision;
    size_t batch, steps, features, units, row; /* row: floats of all gates of a sample's step */
    size_t blocks;
    size_t chunk; /* inference: steps for which the input's part of the gates is computed at once */
    size_t initial_count, place, places;
    bool reverse, last_only, bias, training;
    bool alone;                             /* too little work for a team */
    bool sums_input_bias, sums_hidden_bias; /* the bias trains, and no kernel sums its gradient */
    bool initial_gradient;
    thaw_kernel *input, *pack_input; /* the input's part of all gates of all steps */
    thaw_kernel *input_gradient, *input_weight_gradient, *hidden_weight_gradient;
    thaw_recurrent_layout layout;
} thaw_recurrent;

/* The functions of thaw_layer_module. */
thaw_status thaw_recurrent_build(thaw_layer_builder *builder, const void *options);
thaw_status thaw_recurrent_prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs);
thaw_status thaw_recurrent_pack(const thaw_layer_run *run);
thaw_status thaw_recurrent_forward(const thaw_layer_run *run);
thaw_status thaw_recurrent_backward(const thaw_layer_run *run);
void thaw_recurrent_release(thaw_context *context, void *state);
thaw_status thaw_recurrent_export(const thaw_layer_export *layer);

/* Appends the nodes that the options describe, or none of them on an error. */
thaw_status thaw_recurrent_append(thaw_model *model, const thaw_layer_module *module, thaw_cell_kind cell,
                                  thaw_node input, const thaw_recurrent_options *options, thaw_node *output);

/* ---- inference ---- */

void thaw_recurrent_inference_lay_out(thaw_recurrent *r);
void thaw_recurrent_inference_pack(const thaw_layer_run *run);
void thaw_recurrent_inference_forward(const thaw_layer_run *run);

/* ---- shared ---- */

/* Appends a part of `bytes` to a piece of memory, and returns where it begins. */
size_t thaw_recurrent_reserve(size_t *memory, size_t bytes);

static inline thaw_gate_weight thaw_recurrent_hidden_weight(const thaw_recurrent *r)
{
    return (thaw_gate_weight){ r->cell->gates, r->units, r->units, r->precision };
}

static inline thaw_gate_weight thaw_recurrent_input_weight(const thaw_recurrent *r)
{
    return (thaw_gate_weight){ r->cell->gates, r->units, r->features, r->precision };
}

static inline float *thaw_recurrent_at(void *memory, size_t offset)
{
    return (float *)(void *)((char *)memory + offset);
}

/* The time of a step in the node's direction. */
static inline size_t thaw_recurrent_time(const thaw_recurrent *r, size_t step)
{
    return r->reverse ? r->steps - 1 - step : step;
}

/* The values of a step in a buffer [batch, steps, width]. */
static inline thaw_matrix thaw_recurrent_matrix(const thaw_recurrent *r, float *all, size_t width, size_t step)
{
    return (thaw_matrix){ all + thaw_recurrent_time(r, step) * width, r->steps * width };
}

/* Calls `work` for this member's pieces of a step: a block of units and some samples each. Forward and backward cut
   a step in the same way, so that a member finds what it wrote in its cache. */
typedef void thaw_recurrent_piece(const void *argument, size_t step, size_t block, size_t first_row, size_t past_row);
void thaw_recurrent_share(const thaw_recurrent *r, int thread, int threads, thaw_recurrent_piece *work,
                          const void *argument, size_t step);

/* Units of a block. */
static inline size_t thaw_recurrent_count(const thaw_recurrent *r, size_t block)
{
    const size_t left = r->units - block * THAW_BLOCK;
    return left < THAW_BLOCK ? left : THAW_BLOCK;
}

/* Runs `body` on the context's threads, or alone. */
void thaw_recurrent_run(const thaw_recurrent *r, thaw_context *context,
                        void (*body)(void *argument, int thread, int threads), void *argument);

#endif
