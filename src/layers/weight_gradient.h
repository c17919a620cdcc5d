/* The gradient of a weight in PyTorch's layout, by a kernel that may write another. */
#ifndef THAW_LAYERS_WEIGHT_GRADIENT_H
#define THAW_LAYERS_WEIGHT_GRADIENT_H

#include "onednn/kernel.h"

/* Zeros: no gradient is wanted. */
typedef struct thaw_weight_gradient {
    thaw_kernel *kernel, *unpack; /* owned; unpack NULL: the kernel writes PyTorch's layout */
} thaw_weight_gradient;

void thaw_weight_gradient_release(thaw_context *context, thaw_weight_gradient *gradient);

size_t thaw_weight_gradient_scratch_bytes(const thaw_weight_gradient *gradient);

/* What the kernel reads and writes. `bias` is not written if the kernel does not sum it, and may be NULL then. */
typedef struct thaw_weight_gradient_run {
    const void *source, *destination_gradient;
    float *weight, *bias;
    void *scratch;
} thaw_weight_gradient_run;

/* Does nothing if no gradient is wanted. */
thaw_status thaw_weight_gradient_write(const thaw_weight_gradient *gradient, const thaw_weight_gradient_run *run);

#endif
