/* The product of rows with a panel of a matrix: what matrix products of our own are made of. Built for each level of the
   CPU's instructions. */
#ifndef THAW_KERNELS_PANEL_PRODUCT_H
#define THAW_KERNELS_PANEL_PRODUCT_H

#include <thaw/tensor.h>

#include "core/cpu.h"

enum { THAW_PANEL_WIDTH = 32 }; /* columns of a panel, as floats side by side */

/* product[r][u] = sum over k < depth of left[r * stride + k] * panel[k][u], for `rows` rows and u < THAW_PANEL_WIDTH. `panel`
   and `product` are aligned to 64 bytes. An element's terms are added one after the other, whatever `rows` is. */
typedef void thaw_panel_product_function(size_t rows, size_t depth, const float *left, size_t stride,
                                         const float *panel, float *product);

/* The same of bfloat16, with sums in floats. Panels are of pairs: panel[k / 2][u][k % 2], where an odd depth is filled up
   with zeros. Without instructions for it only products and sums of them are rounded differently. */
typedef void thaw_panel_product_bfloat16_function(size_t rows, size_t depth, const thaw_bfloat16 *left, size_t stride,
                                                  const thaw_bfloat16 *panel, float *product);

THAW_DECLARE_LEVELS(thaw_panel_product_function, thaw_panel_product);
THAW_DECLARE_LEVELS_BF16(thaw_panel_product_bfloat16_function, thaw_panel_product_bfloat16);

#endif
