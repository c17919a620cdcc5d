/* The product of a few rows with a strip of a matrix. */
#include "kernels/strip_product.h"

#include "kernels/strip_tile.h"

void thaw_strip_product(size_t rows, size_t depth, const float *left, size_t stride, const float *strip, float *product)
{
    multiply_strip(rows, depth, (strip_operand){ left, stride, 1 }, (strip_operand){ strip, 0, THAW_STRIP }, product,
                   THAW_STRIP);
}
