/* Iterates over two operands that are combined element by element, with dimensions of 1 repeated (see
   thaw_shape_broadcast). */
#ifndef THAW_CORE_BROADCAST_H
#define THAW_CORE_BROADCAST_H

#include <thaw/tensor.h>

/* A nest of loops over a result, outermost first. Adjacent dimensions that behave alike are merged, so operands of
   the same shape need a single loop. */
typedef struct thaw_broadcast {
    int rank;                         /* at least 1 */
    size_t dims[THAW_MAX_RANK + 1];   /* iterations of each loop */
    size_t result[THAW_MAX_RANK + 1]; /* strides, in elements */
    size_t left[THAW_MAX_RANK + 1];   /* strides, in elements; 0: repeated. The innermost are 0 or 1 */
    size_t right[THAW_MAX_RANK + 1];
} thaw_broadcast;

/* Makes the loops over `batch` results, each with its own operands. The operands must broadcast to the result's
   shape. */
thaw_broadcast thaw_broadcast_of(size_t batch, const thaw_shape *left, const thaw_shape *right,
                                 const thaw_shape *result);

/* A piece of the innermost loop: `count` elements of the result from `result` on, and where the operands' elements
   begin. */
typedef struct thaw_broadcast_span {
    size_t result, left, right, count;
} thaw_broadcast_span;

/* The longest span that starts at element `at` of the result and ends before `past`. */
thaw_broadcast_span thaw_broadcast_next(const thaw_broadcast *loops, size_t at, size_t past);

#endif
