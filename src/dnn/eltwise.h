/* Kernels that apply one function to each element. They may run in place: DESTINATION over SOURCE, SOURCE_GRADIENT over
   DESTINATION_GRADIENT. */
#ifndef THAW_DNN_ELTWISE_H
#define THAW_DNN_ELTWISE_H

#include "dnn/kernel.h"

typedef enum thaw_function {
    THAW_FUNCTION_RELU, /* with the slope for negative values */
    THAW_FUNCTION_RELU6,
    THAW_FUNCTION_SIGMOID,
    THAW_FUNCTION_TANH,
    THAW_FUNCTION_GELU, /* by the error function */
    THAW_FUNCTION_SILU
} thaw_function;

typedef struct thaw_eltwise {
    size_t count; /* elements */
    thaw_function function;
    double slope; /* of RELU */
} thaw_eltwise;

/* Whether the gradient follows from the output, so that nobody need keep the input. */
bool thaw_eltwise_backward_from_output(const thaw_eltwise *problem);

/* SOURCE -> DESTINATION. */
thaw_status thaw_eltwise_forward(thaw_context *context, const thaw_eltwise *problem, bool training,
                                 thaw_kernel **kernel);

/* DESTINATION_GRADIENT, and DESTINATION or SOURCE (see above) -> SOURCE_GRADIENT. */
thaw_status thaw_eltwise_backward(thaw_context *context, const thaw_eltwise *problem, thaw_kernel **kernel);

#endif
