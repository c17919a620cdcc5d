/* Sums, differences and products of two operands, element by element, where dimensions of 1 are repeated; and their
   gradients. Loops run on the context's threads. Results do not depend on the number of threads. */
#ifndef THAW_KERNELS_PAIRWISE_H
#define THAW_KERNELS_PAIRWISE_H

#include <thaw/layer_capabilities.h>
#include <thaw/runtime.h>
#include <thaw/tensor.h>

#include "core/broadcast.h"
#include "onednn/binary.h"

typedef struct thaw_pairs {
    thaw_broadcast loops; /* over result, left and right */
    size_t count;         /* elements of the result */
    thaw_binary_kind kind;
    const float *left, *right;
    float *result; /* overlaps neither */
    bool adds;     /* to `result` */
} thaw_pairs;

void thaw_pairs_compute(thaw_context *context, const thaw_pairs *pairs);

/* The gradient of an operand: the result's gradient times a factor and a sign, summed in double precision over the
   elements that repeat the operand. */
typedef struct thaw_pair_gradient {
    thaw_broadcast loops;  /* over result, operand (as `left`) and factor (as `right`) */
    size_t count, repeats; /* elements of the operand, and of the result for each of them */
    const float *gradient; /* of the result */
    const float *factor;   /* NULL: 1 */
    float sign;
    float *into; /* overlaps neither */
    bool adds;
} thaw_pair_gradient;

void thaw_pair_gradient_compute(thaw_context *context, const thaw_pair_gradient *wanted);

#endif
