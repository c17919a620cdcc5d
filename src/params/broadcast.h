/* Shapes that go together element by element, as in NumPy: aligned at the last dimension, dimensions of 1 repeated. */
#ifndef THAW_PARAMS_BROADCAST_H
#define THAW_PARAMS_BROADCAST_H

#include <thaw/tensor.h>

/* The shape of both together; false where they do not go together. */
bool thaw_broadcast_shape(const thaw_shape *left, const thaw_shape *right, thaw_shape *result);

/* A loop over a result and two operands. Neighbouring dimensions that behave alike are one. */
typedef struct thaw_broadcast {
    int rank; /* at least 1 */
    size_t dims[THAW_MAX_RANK];
    size_t result[THAW_MAX_RANK];                     /* strides, in elements */
    size_t left[THAW_MAX_RANK], right[THAW_MAX_RANK]; /* 0: repeated */
} thaw_broadcast;

thaw_broadcast thaw_broadcast_of(const thaw_shape *left, const thaw_shape *right, const thaw_shape *result);

#endif
