/* The product of a few rows with a panel of a matrix. */
#include "kernels/panel_product.h"

#include "kernels/panel_tile.h"

void thaw_panel_product(size_t rows, size_t depth, const float *left, size_t stride, const float *panel, float *product)
{
    multiply_panel(rows, depth, (panel_operand){ left, stride, 1 }, (panel_operand){ panel, 0, THAW_PANEL_WIDTH },
                   product, THAW_PANEL_WIDTH);
}
