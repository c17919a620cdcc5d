/* The two kernels of a layer: forward and backward. */
#ifndef THAW_LAYERS_KERNEL_PAIR_H
#define THAW_LAYERS_KERNEL_PAIR_H

#include "onednn/kernel.h"

/* `backward` is NULL if no gradient is wanted. */
typedef struct thaw_kernel_pair {
    thaw_kernel *forward, *backward;
} thaw_kernel_pair;

/* Scratch that suffices for either kernel. */
size_t thaw_kernel_pair_scratch_bytes(const thaw_kernel_pair *pair);

/* Releases both kernels, and sets them to NULL. */
void thaw_kernel_pair_release(thaw_context *context, thaw_kernel_pair *pair);

/* `release` of a layer whose state begins with a thaw_kernel_pair and owns nothing else. NULL is allowed. */
void thaw_kernel_pair_release_state(thaw_context *context, void *state);

#endif
