/* The gradient of a dense layer's weight as the sum of its samples' outer products. This is faster than oneDNN's
   matrix product if there are few samples. */
#ifndef THAW_KERNELS_OUTER_PRODUCTS_H
#define THAW_KERNELS_OUTER_PRODUCTS_H

#include "onednn/inner_product.h"

#define THAW_OUTER_PRODUCTS_NAME "outer products"

/* SOURCE, DESTINATION_GRADIENT -> WEIGHTS_GRADIENT, BIAS_GRADIENT. For floats, weights that are not transposed, and at
   least THAW_PANEL_WIDTH inputs. */
thaw_status thaw_outer_products_create(thaw_context *context, const thaw_inner_product *problem, thaw_kernel **kernel);

#endif
