/* The loops over bit masks, built for each level of the CPU's instructions. */
#ifndef THAW_KERNELS_BIT_MASK_LOOPS_H
#define THAW_KERNELS_BIT_MASK_LOOPS_H

#include <thaw/tensor.h>

#include "core/cpu.h"

/* Element i has bit i % 32 of word i / 32. A count that is no multiple of 32 leaves zeros in the last word. */
typedef struct thaw_bit_mask_functions {
    void (*mark)(uint32_t *mask, const float *values, size_t count);
    void (*mark_bfloat16)(uint32_t *mask, const thaw_bfloat16 *values, size_t count);
    void (*apply)(float *into, const uint32_t *mask, const float *values, size_t count);
    void (*apply_bfloat16)(thaw_bfloat16 *into, const uint32_t *mask, const thaw_bfloat16 *values, size_t count);
} thaw_bit_mask_functions;

THAW_DECLARE_LEVELS(const thaw_bit_mask_functions, thaw_bit_mask_loops);

#endif
