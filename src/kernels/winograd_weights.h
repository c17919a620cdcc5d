/* Weight gradients of 3x3 convolutions by Winograd's minimal filtering, see winograd_weights_loops.h. The sums are taken
   in an order of their own, the same for any thread count. */
#ifndef THAW_KERNELS_WINOGRAD_WEIGHTS_H
#define THAW_KERNELS_WINOGRAD_WEIGHTS_H

#include "onednn/convolution.h"

/* How many multiplications the kernel does, with those for tiles and channels that are filled up. */
double thaw_winograd_weights_multiplications(const thaw_convolution *problem);

/* A kernel SOURCE, DESTINATION_GRADIENT -> WEIGHTS_GRADIENT, BIAS_GRADIENT, the third in OIHW. For
   convolutions of 3x3 with one group, no stride and no dilation. */
thaw_status thaw_winograd_weights_create(thaw_context *context, const thaw_convolution *problem, thaw_kernel **kernel);

#endif
