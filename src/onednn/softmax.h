/* Softmax and its logarithm over the rows of a matrix. They may run in place: DESTINATION over SOURCE,
   SOURCE_GRADIENT over DESTINATION_GRADIENT. */
#ifndef THAW_ONEDNN_SOFTMAX_H
#define THAW_ONEDNN_SOFTMAX_H

#include "onednn/kernel.h"

typedef struct thaw_softmax_rows {
    int64_t rows, columns;
    bool logarithm;
} thaw_softmax_rows;

/* SOURCE -> DESTINATION. */
thaw_status thaw_softmax_forward(thaw_context *context, const thaw_softmax_rows *problem, bool training,
                                 thaw_kernel **kernel);

/* DESTINATION, DESTINATION_GRADIENT -> SOURCE_GRADIENT. */
thaw_status thaw_softmax_backward(thaw_context *context, const thaw_softmax_rows *problem, thaw_kernel **kernel);

#endif
