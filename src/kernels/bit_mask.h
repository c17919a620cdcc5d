/* One bit for each element of an array: whether it is above zero. The gradient of ReLU depends on nothing else. */
#ifndef THAW_KERNELS_BIT_MASK_H
#define THAW_KERNELS_BIT_MASK_H

#include "kernels/bfloat16.h"

size_t thaw_bit_mask_bytes(size_t count);

/* Sets the bits of the elements above zero, and of no others. */
void thaw_bit_mask_mark(thaw_context *context, uint32_t *mask, thaw_values values, size_t count);

/* Copies elements whose bit is set, and writes 0 for the others. `into` may be `values`; both are of one type. */
void thaw_bit_mask_apply(thaw_context *context, thaw_values into, const uint32_t *mask, thaw_values values,
                         size_t count);

#endif
