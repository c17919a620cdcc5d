/* What shapes are and do. */
#ifndef THAW_CORE_SHAPE_H
#define THAW_CORE_SHAPE_H

#include <thaw/tensor.h>

/* Every dimension at least 1, rank within bounds, and the bytes of `batch` samples of floats countable in a size. */
bool thaw_shape_usable(const thaw_shape *shape, size_t batch);

/* The shape of two operands that are combined element by element, as in NumPy: aligned at their last dimensions, and a
   dimension that is 1 or missing repeats. False, with *result undefined, where they do not go together. */
bool thaw_shape_broadcast(const thaw_shape *left, const thaw_shape *right, thaw_shape *result);

#endif
