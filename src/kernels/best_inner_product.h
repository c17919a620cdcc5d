/* The fastest kernel for a product with a dense layer's weight, Thaw's own or oneDNN's, by the rules of choice.h.
   Arguments are those of onednn/inner_product.h. The input's gradient has only one kernel, which is there. */
#ifndef THAW_KERNELS_BEST_INNER_PRODUCT_H
#define THAW_KERNELS_BEST_INNER_PRODUCT_H

#include "onednn/inner_product.h"

/* `pack` must not be NULL: callers that pack themselves only know the layouts of oneDNN. */
thaw_status thaw_best_inner_product_forward(thaw_context *context, const thaw_inner_product *problem,
                                            thaw_kernel **kernel, thaw_kernel **pack);

/* Also computes BIAS_GRADIENT where thaw_kernel_sums_bias. */
thaw_status thaw_best_inner_product_backward_weights(thaw_context *context, const thaw_inner_product *problem,
                                                     thaw_kernel **kernel);

#endif
