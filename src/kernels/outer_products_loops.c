/* Operands are read in place: each row of a tile is one or two cache lines. */
#include "kernels/outer_products_loops.h"

#include "kernels/panel_tile.h"

void thaw_outer_products_loops(size_t rows, size_t depth, thaw_outer_operand left, thaw_outer_operand right,
                               float *sums, size_t stride)
{
    multiply_panel(rows, depth, (panel_operand){ left.values, 1, left.stride },
                   (panel_operand){ right.values, 0, right.stride }, sums, stride);
}
