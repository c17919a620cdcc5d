/* 2-D pooling kernels over NHWC. */
#ifndef THAW_ONEDNN_POOLING_H
#define THAW_ONEDNN_POOLING_H

#include "onednn/kernel.h"

typedef enum thaw_pooling_kind {
    THAW_POOLING_MAX,
    THAW_POOLING_AVERAGE,       /* divides by the kernel's size */
    THAW_POOLING_AVERAGE_INSIDE /* divides by the number of elements inside the input */
} thaw_pooling_kind;

typedef struct thaw_pooling {
    thaw_pooling_kind kind;
    thaw_dtype precision;
    int64_t batch, channels;
    int64_t input[2], output[2], kernel[2]; /* height, width */
    int64_t stride[2], dilation[2];         /* dilation 1 is dense */
    int64_t padding_before[2], padding_after[2];
} thaw_pooling;

/* SOURCE -> DESTINATION; MAX in training also -> WORKSPACE. */
thaw_status thaw_pooling_forward(thaw_context *context, const thaw_pooling *problem, bool training,
                                 thaw_kernel **kernel);

/* DESTINATION_GRADIENT; MAX: WORKSPACE -> SOURCE_GRADIENT. */
thaw_status thaw_pooling_backward(thaw_context *context, const thaw_pooling *problem, thaw_kernel **kernel);

#endif
