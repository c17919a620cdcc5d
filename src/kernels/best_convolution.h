/* The fastest kernel for a convolution, Thaw's own or oneDNN's, by the rules of choice.h. Arguments are those of
   onednn/convolution.h. `direct` of the problem is chosen here. */
#ifndef THAW_KERNELS_BEST_CONVOLUTION_H
#define THAW_KERNELS_BEST_CONVOLUTION_H

#include "onednn/convolution.h"

thaw_status thaw_best_convolution_forward(thaw_context *context, const thaw_convolution *problem, thaw_kernel **kernel,
                                          thaw_kernel **pack);

thaw_status thaw_best_convolution_backward_data(thaw_context *context, const thaw_convolution *problem,
                                                thaw_kernel **kernel, thaw_kernel **pack);

/* Also computes BIAS_GRADIENT where thaw_kernel_sums_bias. */
thaw_status thaw_best_convolution_backward_weights(thaw_context *context, const thaw_convolution *problem,
                                                   thaw_kernel **kernel, thaw_kernel **unpack);

#endif
