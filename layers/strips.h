/* Packed copies of the hidden state's weight, as strips that thaw_strip_product reads from the first byte to the last. */
#ifndef THAW_LAYERS_STRIPS_H
#define THAW_LAYERS_STRIPS_H

#include <thaw/module.h>

/* A weight [gates * units, units]: that of gate q's unit u is row q * units + u. */
typedef struct thaw_gate_weight {
    size_t gates, units;
} thaw_gate_weight;

size_t thaw_strips_blocks(size_t units);

/* For forward: to each block of units a strip [units][THAW_BLOCK] for each gate. */
size_t thaw_strips_forward_count(const thaw_gate_weight *weight); /* in floats */
void thaw_strips_pack_forward(thaw_context *context, const thaw_gate_weight *weight, const float *values,
                              float *strips);

/* For backward: to each block of units one strip [gates * units][THAW_BLOCK]. */
size_t thaw_strips_backward_count(const thaw_gate_weight *weight);
void thaw_strips_pack_backward(thaw_context *context, const thaw_gate_weight *weight, const float *values,
                               float *strips);

/* A bias [gates * units] as rows [gates][THAW_BLOCK] for each block of units; `values` NULL: zeros. */
size_t thaw_strips_bias_count(const thaw_gate_weight *weight);
void thaw_strips_pack_bias(const thaw_gate_weight *weight, const float *values, float *rows);

#endif
