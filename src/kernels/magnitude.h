/* The largest magnitude of some numbers, built for each level of the CPU's instructions. */
#ifndef THAW_KERNELS_MAGNITUDE_H
#define THAW_KERNELS_MAGNITUDE_H

#include <stddef.h>

#include "core/cpu.h"

/* Infinite or NaN if one of the numbers is. */
typedef float thaw_magnitude_function(const float *values, size_t count);

THAW_DECLARE_LEVELS(thaw_magnitude_function, thaw_largest_magnitude);

#endif
