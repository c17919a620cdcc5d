/* Convolutions of 3x3 with stride 1 by Winograd's F(2x2, 3x3), which takes 2.25 times fewer multiplications than the
   definition; see winograd_loops.h. In bfloat16 the transformed numbers are also rounded, so that the error is twice
   that of oneDNN's kernels, whatever the number of channels. The kernels are like those of convolution.h. Their
   `pack` kernels are never NULL. */
#ifndef THAW_KERNELS_WINOGRAD_H
#define THAW_KERNELS_WINOGRAD_H

#include "onednn/convolution.h"

#define THAW_WINOGRAD_NAME "winograd 2x2"

thaw_status thaw_winograd_forward(thaw_context *context, const thaw_convolution *problem, thaw_kernel **kernel,
                                  thaw_kernel **pack);
thaw_status thaw_winograd_backward_data(thaw_context *context, const thaw_convolution *problem, thaw_kernel **kernel,
                                        thaw_kernel **pack);

/* Transformed kernels: a matrix for each panel of W = THAW_PANEL_WIDTH output channels and each of the 16 values. It
   is [depth][W] in floats, where depth counts the input channels, or [(depth + 1) / 2][W][2] in bfloat16, with zeros
   after an odd depth. */
typedef struct thaw_winograd_kernels {
    size_t depth, filters;
    bool rotated; /* for backward data: `filters` counts the weight's inputs, and each 3x3 is turned by 180 degrees */
    bool bf16;
} thaw_winograd_kernels;

size_t thaw_winograd_panels(size_t filters);
size_t thaw_winograd_kernels_bytes(const thaw_winograd_kernels *kernels);

/* SOURCE: OIHW -> DESTINATION: transformed. */
thaw_status thaw_winograd_pack(thaw_context *context, const thaw_winograd_kernels *kernels, thaw_kernel **pack);

#endif
