/* The LSTM's cell (Hochreiter & Schmidhuber 1997 with Gers et al.'s forget gate), gates i, f, g, o as in PyTorch:
       i, f, o = sigmoid(...)   g = tanh(...)   c' = f c + i g   h' = o tanh(c'). */
#include "kernels/gate_functions.h"
#include "kernels/recurrent_kernels.h"

enum { INPUT, FORGET, NEW, OUTPUT, GATES };

static inline void forward_row(const thaw_cell_forward *s, size_t row)
{
    const size_t units = s->units, matrix = THAW_CELL_ROWS * THAW_BLOCK;
    const float *product = s->product + row * THAW_BLOCK, *bias = s->bias;
    float *gates = s->gates.first + row * s->gates.stride;
    const float *cell_state = s->cell_state.first + row * s->cell_state.stride;
    float *next_cell_state = s->next_cell_state.first + row * s->next_cell_state.stride;
    float *next_hidden = s->next_hidden.first + row * s->next_hidden.stride;
#pragma omp simd
    for (size_t u = 0; u < s->count; u++) {
        const float i = thaw_gate_sigmoid(gates[u] + (product[u] + bias[u]));
        const float f = thaw_gate_sigmoid(gates[FORGET * units + u] +
                                          (product[FORGET * matrix + u] + bias[FORGET * THAW_BLOCK + u]));
        const float g =
            thaw_gate_tanh(gates[NEW * units + u] + (product[NEW * matrix + u] + bias[NEW * THAW_BLOCK + u]));
        const float o = thaw_gate_sigmoid(gates[OUTPUT * units + u] +
                                          (product[OUTPUT * matrix + u] + bias[OUTPUT * THAW_BLOCK + u]));
        const float c = f * cell_state[u] + i * g;
        next_cell_state[u] = c;
        next_hidden[u] = o * thaw_gate_tanh(c);
        gates[u] = i;
        gates[FORGET * units + u] = f;
        gates[NEW * units + u] = g;
        gates[OUTPUT * units + u] = o;
    }
}

/* The same if the gates' values are not kept: i g and o tanh(c) take one division each. With a = e^-x and b = e^-2y,
   sigmoid(x) tanh(y) = (1 - b) / ((1 + a) (1 + b)). */
static inline void infer_row(const thaw_cell_forward *s, size_t row)
{
    const size_t units = s->units, matrix = THAW_CELL_ROWS * THAW_BLOCK;
    const float *product = s->product + row * THAW_BLOCK, *bias = s->bias;
    const float *gates = s->gates.first + row * s->gates.stride;
    const float *cell_state = s->cell_state.first + row * s->cell_state.stride;
    float *next_cell_state = s->next_cell_state.first + row * s->next_cell_state.stride;
    float *next_hidden = s->next_hidden.first + row * s->next_hidden.stride;
#pragma omp simd
    for (size_t u = 0; u < s->count; u++) {
        const float i = gates[u] + (product[u] + bias[u]);
        const float f = gates[FORGET * units + u] + (product[FORGET * matrix + u] + bias[FORGET * THAW_BLOCK + u]);
        const float g = gates[NEW * units + u] + (product[NEW * matrix + u] + bias[NEW * THAW_BLOCK + u]);
        const float o = gates[OUTPUT * units + u] + (product[OUTPUT * matrix + u] + bias[OUTPUT * THAW_BLOCK + u]);
        const float c = thaw_gate_sigmoid(f) * cell_state[u] + thaw_gate_product(i, g);
        next_cell_state[u] = c;
        next_hidden[u] = thaw_gate_product(o, c);
    }
}

static void forward(const thaw_cell_forward *step)
{
    for (size_t row = 0; row < step->rows; row++)
        if (step->keep)
            forward_row(step, row);
        else
            infer_row(step, row);
}

static inline void backward_row(const thaw_cell_backward *s, size_t row, bool has_output)
{
    const size_t units = s->units;
    const float *product = s->product + row * THAW_BLOCK;
    const float *slope = has_output ? s->output_gradient.first + row * s->output_gradient.stride : NULL;
    float *gates = s->gates.first + row * s->gates.stride, *carry = s->carry.first + row * s->carry.stride;
    const float *cell_state = s->cell_state.first + row * s->cell_state.stride;
    const float *next_cell_state = s->next_cell_state.first + row * s->next_cell_state.stride;
#pragma omp simd
    for (size_t u = 0; u < s->count; u++) {
        const float i = gates[u], f = gates[FORGET * units + u], g = gates[NEW * units + u];
        const float o = gates[OUTPUT * units + u], t = thaw_gate_tanh(next_cell_state[u]);
        const float dh = has_output ? product[u] + slope[u] : product[u];
        const float dc = carry[u] + dh * o * (1 - t * t);
        gates[u] = dc * g * (i * (1 - i));
        gates[FORGET * units + u] = dc * cell_state[u] * (f * (1 - f));
        gates[NEW * units + u] = dc * i * (1 - g * g);
        gates[OUTPUT * units + u] = dh * t * (o * (1 - o));
        carry[u] = dc * f;
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

const thaw_cell thaw_lstm_cell = {
    .name = "lstm", .gates = GATES, .states = 2, .forward = forward, .backward = backward
};
