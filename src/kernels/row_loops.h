/* Loops over one row of numbers that is normalised by itself, built for each level of the CPU's instructions. Sums
   are floats over runs of about a thousand numbers, and doubles over those runs. */
#ifndef THAW_KERNELS_ROW_LOOPS_H
#define THAW_KERNELS_ROW_LOOPS_H

#include <thaw/tensor.h>

#include "core/cpu.h"

/* A row of `count` numbers, and what the loops below read and write. Fields that a loop does not use may be left
   out. */
typedef struct thaw_row {
    size_t count;
    thaw_dtype precision; /* THAW_F32 or THAW_BF16: of the next two and the result */
    const void *input, *slope;
    const float *weight, *bias;
    float mean, inverse;
    float constant, linear;
    void *result; /* may be `input` or `slope` */
} thaw_row;

typedef struct thaw_row_functions {
    double (*sum)(const thaw_row *r, float from);         /* of input - from */
    double (*sum_squares)(const thaw_row *r, float from); /* of (input - from)^2 */

    /* Of slope * weight, and of slope * weight * (input - mean). */
    void (*sum_slopes)(const thaw_row *r, double *slopes, double *products);

    void (*normalise)(const thaw_row *r); /* result = (input - mean) * inverse * weight + bias */
    /* result = slope * weight * inverse + constant + (input - mean) * linear */
    void (*differentiate)(const thaw_row *r);

    /* Add to sums[i]: slope; slope * (input - mean) * inverse. */
    void (*add_slopes)(const thaw_row *r, float *sums);
    void (*add_products)(const thaw_row *r, float *sums);
} thaw_row_functions;

THAW_DECLARE_LEVELS(const thaw_row_functions, thaw_row_loops);

#endif
