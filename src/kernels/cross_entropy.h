/* Loops over one row of logits for its cross-entropy, built for each level of the CPU's instructions. They read a row
   from memory once, however long it is. */
#ifndef THAW_KERNELS_CROSS_ENTROPY_H
#define THAW_KERNELS_CROSS_ENTROPY_H

#include <stddef.h>

#include "core/cpu.h"

/* What a row of logits z comes to: log(sum(e^z)) is largest + log(sum). */
typedef struct thaw_logit_row {
    float largest;
    double sum;   /* of e^(z - largest) */
    double total; /* of z, times the weights if there are any */
} thaw_logit_row;

typedef struct thaw_cross_entropy_functions {
    /* `weights` NULL: all 1. `totals`: `total` is wanted. */
    thaw_logit_row (*measure)(const float *logits, const float *weights, size_t count, bool totals);

    /* gradient = factor e^(z - largest) - share, times the weights if there are any. The gradient may be the logits. */
    void (*differentiate)(const float *logits, const float *weights, size_t count, float largest, float factor,
                          float share, float *gradient);
} thaw_cross_entropy_functions;

THAW_DECLARE_LEVELS(const thaw_cross_entropy_functions, thaw_cross_entropy_loops);

#endif
