/* Weight gradients of 3x3 convolutions by Winograd's minimal filtering: see winograd_weights_loops.h. Sums have
   their own order, which does not depend on the number of threads. */
#ifndef THAW_KERNELS_WINOGRAD_WEIGHTS_H
#define THAW_KERNELS_WINOGRAD_WEIGHTS_H

#include "onednn/convolution.h"

/* The number of multiplications of the kernel, including those for padding of tiles and channels. */
double thaw_winograd_weights_multiplications(const thaw_convolution *problem);

/* A kernel SOURCE, DESTINATION_GRADIENT -> WEIGHTS_GRADIENT (in OIHW), BIAS_GRADIENT. For convolutions of 3x3 with
   one group, stride 1 and dilation 1. */
thaw_status thaw_winograd_weights_create(thaw_context *context, const thaw_convolution *problem, thaw_kernel **kernel);

#endif
