/* What one level of instructions has. */
#include "kernels/recurrent_kernels.h"

const thaw_recurrent_kernels thaw_recurrent_kernels_here = {
    .product = thaw_strip_product,
    .cells = { [THAW_CELL_LSTM] = &thaw_lstm_cell, [THAW_CELL_GRU] = &thaw_gru_cell },
};
