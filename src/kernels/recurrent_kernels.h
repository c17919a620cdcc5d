/* The arithmetic of recurrent layers, built for each level of the CPU's instructions. It works on blocks of
   THAW_BLOCK units. What it computes past the last unit has no meaning. */
#ifndef THAW_KERNELS_RECURRENT_KERNELS_H
#define THAW_KERNELS_RECURRENT_KERNELS_H

#include <stdbool.h>
#include <stddef.h>

#include "kernels/panel_product.h"

enum { THAW_BLOCK = THAW_PANEL_WIDTH, THAW_CELL_ROWS = 24, THAW_MOST_GATES = 4 };

/* A matrix with a row for each sample, from some unit on. */
typedef struct thaw_matrix {
    float *first;
    size_t stride;
} thaw_matrix;

typedef struct thaw_const_matrix {
    const float *first;
    size_t stride;
} thaw_const_matrix;

/* One step of one block, for a few samples. In a row of `gates` and `hidden_gates`, gates are `units` floats apart.
   `product` holds a matrix of THAW_CELL_ROWS x THAW_BLOCK for each gate, `bias` a row of THAW_BLOCK. */
typedef struct thaw_cell_forward {
    size_t rows, count;          /* samples, units of the block */
    size_t units;                /* of the layer */
    const float *product, *bias; /* of the previous hidden state and its weight; added to that */
    thaw_matrix gates;           /* the input's part; with `keep`, afterwards their values */
    thaw_matrix hidden_gates;    /* GRU: receives the hidden state's part of gate n, with `keep` */
    bool keep;
    thaw_const_matrix hidden;
    thaw_matrix next_hidden;
    thaw_const_matrix cell_state; /* LSTM */
    thaw_matrix next_cell_state;  /* may be `cell_state` */
} thaw_cell_forward;

/* The same step backward. `product` is one matrix: the following step's gradients of the gates times the weight of
   the hidden state. */
typedef struct thaw_cell_backward {
    size_t rows, count, units;
    const float *product;
    thaw_const_matrix output_gradient; /* first NULL: none */
    thaw_matrix gates;                 /* what forward kept; afterwards the gradients of the input's parts */
    thaw_matrix hidden_gates;          /* GRU: the same for the hidden state's parts */
    thaw_matrix carry;                 /* what reaches the previous state directly: LSTM's cell, GRU's hidden state */
    thaw_const_matrix hidden;          /* GRU: before the step */
    thaw_const_matrix cell_state, next_cell_state; /* LSTM */
} thaw_cell_backward;

typedef struct thaw_cell {
    const char *name;
    size_t gates, states; /* states: the hidden one, and the LSTM's cell */
    void (*forward)(const thaw_cell_forward *step);
    void (*backward)(const thaw_cell_backward *step);
} thaw_cell;

typedef enum thaw_cell_kind { THAW_CELL_LSTM, THAW_CELL_GRU } thaw_cell_kind;

THAW_DECLARE_LEVELS(const thaw_cell, thaw_lstm_cell);
THAW_DECLARE_LEVELS(const thaw_cell, thaw_gru_cell);

static inline const thaw_cell *thaw_cell_of(thaw_cell_kind kind, thaw_cpu_level level)
{
    return kind == THAW_CELL_LSTM ? THAW_FOR_LEVEL(level, &thaw_lstm_cell) : THAW_FOR_LEVEL(level, &thaw_gru_cell);
}

#endif
