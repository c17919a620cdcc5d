/* Whether numbers are finite, built for each level of the CPU's instructions. */
#ifndef THAW_KERNELS_FINITE_H
#define THAW_KERNELS_FINITE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/cpu.h"

typedef bool thaw_finite_function(const float *values, size_t count);

THAW_DECLARE_LEVELS(thaw_finite_function, thaw_all_finite);

#endif
