/* Kernels that apply one function to each element. They may run in place: DESTINATION over SOURCE, SOURCE_GRADIENT over
   DESTINATION_GRADIENT. */
#ifndef THAW_ONEDNN_ELTWISE_H
#define THAW_ONEDNN_ELTWISE_H

#include "onednn/kernel.h"

typedef struct thaw_eltwise {
    size_t count; /* elements */
    thaw_activation function;
    double slope; /* of RELU, for negative values */
    thaw_dtype precision;
} thaw_eltwise;

/* Whether the gradient follows from the output, so that the input need not be kept. */
bool thaw_eltwise_backward_from_output(const thaw_eltwise *problem);

/* SOURCE -> DESTINATION. */
thaw_status thaw_eltwise_forward(thaw_context *context, const thaw_eltwise *problem, bool training,
                                 thaw_kernel **kernel);

/* DESTINATION_GRADIENT, and DESTINATION or SOURCE (see above) -> SOURCE_GRADIENT. */
thaw_status thaw_eltwise_backward(thaw_context *context, const thaw_eltwise *problem, thaw_kernel **kernel);

#endif
