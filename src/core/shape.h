/* Checks on shapes that come from outside. */
#ifndef THAW_CORE_SHAPE_H
#define THAW_CORE_SHAPE_H

#include <thaw/tensor.h>

/* Every dimension at least 1, rank within bounds, and the bytes of `batch` samples of floats countable in a size. */
bool thaw_shape_usable(const thaw_shape *shape, size_t batch);

#endif
