/* The product of rows with a panel of a matrix: the building block of Thaw's own matrix products. Built for each
   level of the CPU's instructions. */
#ifndef THAW_KERNELS_PANEL_PRODUCT_H
#define THAW_KERNELS_PANEL_PRODUCT_H

#include <thaw/tensor.h>

#include "core/cpu.h"

enum { THAW_PANEL_WIDTH = 32 }; /* columns of a panel, as floats side by side */

/* product[r][u] = sum over k < depth of left[r * stride + k] * panel[k][u], for `rows` rows and
   u < THAW_PANEL_WIDTH. `panel` and `product` are aligned to 64 bytes. The terms of an element are added in the order
   of k, whatever `rows` is. */
typedef void thaw_panel_product_function(size_t rows, size_t depth, const float *left, size_t stride,
                                         const float *panel, float *product);

/* The same in bfloat16, with sums in floats. Panels consist of pairs, panel[k / 2][u][k % 2], with zeros after an
   odd depth. CPUs without bfloat16 instructions only round the products and their sums differently. */
typedef void thaw_panel_product_bfloat16_function(size_t rows, size_t depth, const thaw_bfloat16 *left, size_t stride,
                                                  const thaw_bfloat16 *panel, float *product);

THAW_DECLARE_LEVELS(thaw_panel_product_function, thaw_panel_product);
THAW_DECLARE_LEVELS_BF16(thaw_panel_product_bfloat16_function, thaw_panel_product_bfloat16);

#endif
