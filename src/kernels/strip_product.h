/* The product of rows with a strip of a matrix: what matrix products of our own are made of. Built for each level of the
   CPU's instructions. */
#ifndef THAW_KERNELS_STRIP_PRODUCT_H
#define THAW_KERNELS_STRIP_PRODUCT_H

#include <thaw/tensor.h>

#include "core/cpu.h"

enum { THAW_STRIP = 32 }; /* columns of a strip, as floats side by side */

/* product[r][u] = sum over k < depth of left[r * stride + k] * strip[k][u], for `rows` rows and u < THAW_STRIP. `strip`
   and `product` are aligned to 64 bytes. An element's terms are added one after the other, whatever `rows` is. */
typedef void thaw_strip_product_function(size_t rows, size_t depth, const float *left, size_t stride,
                                         const float *strip, float *product);

/* The same of bfloat16, with sums in floats. Strips are of pairs: strip[k / 2][u][k % 2], where an odd depth is filled up
   with zeros. Without instructions for it only products and sums of them are rounded differently. */
typedef void thaw_strip_product_bfloat16_function(size_t rows, size_t depth, const thaw_bfloat16 *left, size_t stride,
                                                  const thaw_bfloat16 *strip, float *product);

THAW_DECLARE_LEVELS(thaw_strip_product_function, thaw_strip_product);
THAW_DECLARE_LEVELS_BF16(thaw_strip_product_bfloat16_function, thaw_strip_product_bfloat16);

#endif
