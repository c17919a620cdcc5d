/* The loops over arrays of bfloat16, built for each level of the CPU's instructions. */
#ifndef THAW_KERNELS_BFLOAT16_LOOPS_H
#define THAW_KERNELS_BFLOAT16_LOOPS_H

#include <thaw/tensor.h>

#include "core/cpu.h"

/* Arrays must not overlap. Arguments: what is written, then what is read. */
typedef struct thaw_bfloat16_functions {
    void (*widen)(float *into, const thaw_bfloat16 *from, size_t count);
    void (*round)(thaw_bfloat16 *into, const float *from, size_t count);
    void (*widen_and_add)(float *into, const thaw_bfloat16 *term, size_t count);
    void (*add_and_round)(thaw_bfloat16 *into, const float *term, size_t count);
    void (*add)(thaw_bfloat16 *into, const thaw_bfloat16 *term, size_t count);
} thaw_bfloat16_functions;

THAW_DECLARE_LEVELS(const thaw_bfloat16_functions, thaw_bfloat16_loops);

#endif
