/* 2-D convolution kernels. Weights have the layout and precision that each kernel prefers. The relayouts to and from
   PyTorch's OIHW in floats are kernels of their own, and NULL if the layouts agree. */
#ifndef THAW_ONEDNN_CONVOLUTION_H
#define THAW_ONEDNN_CONVOLUTION_H

#include "onednn/kernel.h"

typedef struct thaw_convolution {
    int64_t batch, groups;
    int64_t input_channels, output_channels;
    int64_t input[2], output[2], kernel[2]; /* height, width */
    int64_t stride[2], dilation[2];         /* dilation 1 is dense */
    int64_t padding_before[2], padding_after[2];
    thaw_dtype precision; /* of all but the bias and the weights' gradients */
    bool bias;
    thaw_after after; /* of forward */
    bool training;    /* forward: the kernel of training instead of inference */
    bool save_memory; /* prefer little memory to a little time */
    bool packs_once;  /* the weight is frozen */
    bool direct;      /* prefer oneDNN's direct implementation for AVX-512, if there is one, to its first choice */
} thaw_convolution;

/* SOURCE, WEIGHTS, BIAS, RESIDUAL -> DESTINATION. `pack` (SOURCE: OIHW -> DESTINATION: the kernel's weights) may be
   NULL. */
thaw_status thaw_convolution_forward(thaw_context *context, const thaw_convolution *problem, thaw_kernel **kernel,
                                     thaw_kernel **pack);

/* Whether this forward kernel must get its residual in place. With a residual beside the output, oneDNN 2.6's
   convolution by matrix products (gemm) adds wrong elements if there are several groups, or no AVX2. */
bool thaw_convolution_misreads_residual(const thaw_kernel *forward);

/* DESTINATION_GRADIENT, WEIGHTS -> SOURCE_GRADIENT. `pack` is as for forward. */
thaw_status thaw_convolution_backward_data(thaw_context *context, const thaw_convolution *problem, thaw_kernel **kernel,
                                           thaw_kernel **pack);

/* SOURCE, DESTINATION_GRADIENT -> WEIGHTS_GRADIENT. `unpack` (SOURCE: the kernel's gradient -> DESTINATION: OIHW)
   may be NULL. */
thaw_status thaw_convolution_backward_weights(thaw_context *context, const thaw_convolution *problem,
                                              thaw_kernel **kernel, thaw_kernel **unpack);

#endif
