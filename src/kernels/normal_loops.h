/* Normal numbers from uniform ones by Box and Muller's transform, built for each level of the CPU's instructions. All
   levels compute the same bits. */
#ifndef THAW_KERNELS_NORMAL_LOOPS_H
#define THAW_KERNELS_NORMAL_LOOPS_H

#include <stddef.h>
#include <stdint.h>

#include "core/cpu.h"

/* The first draw of a pair, rounded to a float, gives a radius, and the second an angle. Its cosine and sine, times
   the radius, are two independent normal numbers of the given deviation, within 1e-6. `count` is even. */
typedef void thaw_normal_function(const uint32_t *draws, size_t count, float deviation, float *values);

THAW_DECLARE_LEVELS(thaw_normal_function, thaw_normal_loops);

#endif
