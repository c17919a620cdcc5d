/* Packed copies of a recurrent layer's weights: panels that thaw_panel_product reads from the first byte to the
   last. */
#ifndef THAW_LAYERS_GATE_PANELS_H
#define THAW_LAYERS_GATE_PANELS_H

#include <thaw/layer_module.h>

/* A weight [gates * units, depth]. Row q * units + u is for unit u of gate q. */
typedef struct thaw_gate_weight {
    size_t gates, units, depth;
    thaw_dtype precision; /* THAW_F32 or THAW_BF16: of the packed copy */
} thaw_gate_weight;

size_t thaw_gate_panels_blocks(size_t units);

/* For forward: for each block of units a panel per gate, [depth][THAW_BLOCK] in floats or
   [(depth + 1) / 2][THAW_BLOCK][2] in bfloat16, with zeros for missing elements. */
size_t thaw_gate_panels_panel_bytes(const thaw_gate_weight *weight);
size_t thaw_gate_panels_forward_bytes(const thaw_gate_weight *weight);
void thaw_gate_panels_pack_forward(thaw_context *context, const thaw_gate_weight *weight, const float *values,
                                   void *panels);

/* For backward, of the hidden state's weight: for each block of units one panel of floats,
   [gates * units][THAW_BLOCK]. */
size_t thaw_gate_panels_backward_bytes(const thaw_gate_weight *weight);
void thaw_gate_panels_pack_backward(thaw_context *context, const thaw_gate_weight *weight, const float *values,
                                    float *panels);

/* A bias [gates * units] as rows [gates][THAW_BLOCK] for each block of units; `values` NULL: zeros. */
size_t thaw_gate_panels_bias_count(const thaw_gate_weight *weight);
void thaw_gate_panels_pack_bias(const thaw_gate_weight *weight, const float *values, float *rows);

#endif
