/* Sums of outer products. Built for each level of the CPU's instructions. */
#ifndef THAW_KERNELS_OUTER_PRODUCTS_LOOPS_H
#define THAW_KERNELS_OUTER_PRODUCTS_LOOPS_H

#include <stddef.h>

#include "core/cpu.h"

/* Rows that lie `stride` floats apart. */
typedef struct thaw_outer_operand {
    const float *values;
    size_t stride;
} thaw_outer_operand;

/* sums[r * stride + u] = sum over k < depth of
       left.values[k * left.stride + r] * right.values[k * right.stride + u],
   for r < rows and u < THAW_PANEL_WIDTH. The terms of an element are added in the order of k, whatever `rows` is. */
typedef void thaw_outer_products_function(size_t rows, size_t depth, thaw_outer_operand left, thaw_outer_operand right,
                                          float *sums, size_t stride);

THAW_DECLARE_LEVELS(thaw_outer_products_function, thaw_outer_products_loops);

#endif
