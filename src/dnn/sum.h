/* Adds two arrays. */
#ifndef THAW_DNN_SUM_H
#define THAW_DNN_SUM_H

#include "dnn/kernel.h"

/* SOURCE + SOURCE_1 -> DESTINATION, which may be SOURCE. */
thaw_status thaw_sum_create(thaw_context *context, size_t count, thaw_kernel **kernel);

#endif
