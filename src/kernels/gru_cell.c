/* The GRU's cell (Cho et al. 2014, arXiv 1406.1078) with gates r, z, n as in PyTorch, where the reset gate multiplies
   the hidden state's part of n, including its bias:
       r, z = sigmoid(...)   n = tanh(x_n + r m), m = W_hn h + b_hn   h' = (1 - z) n + z h. */
#include "kernels/gate_functions.h"
#include "kernels/recurrent_kernels.h"

enum { RESET, UPDATE, NEW, GATES };

static inline void forward_row(const thaw_cell_forward *s, size_t row, bool keep)
{
    const size_t units = s->units, matrix = THAW_CELL_ROWS * THAW_BLOCK;
    const float *product = s->product + row * THAW_BLOCK, *bias = s->bias;
    float *gates = s->gates.first + row * s->gates.stride;
    float *kept = keep ? s->hidden_gates.first + row * s->hidden_gates.stride : NULL;
    const float *hidden = s->hidden.first + row * s->hidden.stride;
    float *next_hidden = s->next_hidden.first + row * s->next_hidden.stride;
#pragma omp simd
    for (size_t u = 0; u < s->count; u++) {
        const float r = thaw_gate_sigmoid(gates[u] + (product[u] + bias[u]));
        const float z = thaw_gate_sigmoid(gates[UPDATE * units + u] +
                                          (product[UPDATE * matrix + u] + bias[UPDATE * THAW_BLOCK + u]));
        const float m = product[NEW * matrix + u] + bias[NEW * THAW_BLOCK + u];
        const float n = thaw_gate_tanh(gates[NEW * units + u] + r * m);
        next_hidden[u] = n + z * (hidden[u] - n);
        if (keep) {
            gates[u] = r;
            gates[UPDATE * units + u] = z;
            gates[NEW * units + u] = n;
            kept[NEW * units + u] = m;
        }
    }
}

static void forward(const thaw_cell_forward *step)
{
    for (size_t row = 0; row < step->rows; row++)
        if (step->keep)
            forward_row(step, row, true);
        else
            forward_row(step, row, false);
}

static inline void backward_row(const thaw_cell_backward *s, size_t row, bool has_output)
{
    const size_t units = s->units;
    const float *product = s->product + row * THAW_BLOCK;
    const float *slope = has_output ? s->output_gradient.first + row * s->output_gradient.stride : NULL;
    float *gates = s->gates.first + row * s->gates.stride, *carry = s->carry.first + row * s->carry.stride;
    float *hidden_gates = s->hidden_gates.first + row * s->hidden_gates.stride;
    const float *hidden = s->hidden.first + row * s->hidden.stride;
#pragma omp simd
    for (size_t u = 0; u < s->count; u++) {
        const float r = gates[u], z = gates[UPDATE * units + u], n = gates[NEW * units + u];
        const float m = hidden_gates[NEW * units + u], reached = product[u] + carry[u];
        const float dh = has_output ? reached + slope[u] : reached;
        const float dn = dh * (1 - z) * (1 - n * n), dz = dh * (hidden[u] - n) * (z * (1 - z));
        const float dr = dn * m * (r * (1 - r));
        gates[u] = hidden_gates[u] = dr;
        gates[UPDATE * units + u] = hidden_gates[UPDATE * units + u] = dz;
        gates[NEW * units + u] = dn;
        hidden_gates[NEW * units + u] = dn * r;
        carry[u] = dh * z;
    }
}

static void backward(const thaw_cell_backward *step)
{
    for (size_t row = 0; row < step->rows; row++)
        if (step->output_gradient.first)
            backward_row(step, row, true);
        else
            backward_row(step, row, false);
}

const thaw_cell thaw_gru_cell = {
    .name = "gru", .gates = GATES, .states = 1, .forward = forward, .backward = backward
};
