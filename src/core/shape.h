/* Operations on shapes. */
#ifndef THAW_CORE_SHAPE_H
#define THAW_CORE_SHAPE_H

#include <thaw/tensor.h>

/* The broadcast shape of two operands, as in NumPy: shapes are aligned at the last dimension, and a dimension that
   is 1 or missing is repeated. False, with *result undefined, if the shapes are incompatible. */
bool thaw_shape_broadcast(const thaw_shape *left, const thaw_shape *right, thaw_shape *result);

#endif
