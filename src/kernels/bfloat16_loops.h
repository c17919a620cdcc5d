/* The loops over arrays of bfloat16, built for each level of the CPU's instructions. */
#ifndef THAW_KERNELS_BFLOAT16_LOOPS_H
#define THAW_KERNELS_BFLOAT16_LOOPS_H

#include <thaw/tensor.h>

/* Arrays do not overlap. Names: what is written, then what is read. */
typedef struct thaw_bfloat16_functions {
    void (*widen)(float *into, const thaw_bfloat16 *from, size_t count);
    void (*round)(thaw_bfloat16 *into, const float *from, size_t count);
    void (*widen_and_add)(float *into, const thaw_bfloat16 *term, size_t count);
    void (*add_and_round)(thaw_bfloat16 *into, const float *term, size_t count);
    void (*add)(thaw_bfloat16 *into, const thaw_bfloat16 *term, size_t count);
} thaw_bfloat16_functions;

/* Those for this CPU. Thread-safe. */
const thaw_bfloat16_functions *thaw_bfloat16_functions_of_cpu(void);

extern const thaw_bfloat16_functions thaw_bfloat16_loops_baseline;
#ifdef __x86_64__
extern const thaw_bfloat16_functions thaw_bfloat16_loops_v3;
extern const thaw_bfloat16_functions thaw_bfloat16_loops_v4;
#endif

#endif
