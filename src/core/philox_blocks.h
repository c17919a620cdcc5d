/* Philox rounds for many counters at once, built for each level of the CPU's instructions. */
#ifndef THAW_CORE_PHILOX_BLOCKS_H
#define THAW_CORE_PHILOX_BLOCKS_H

#include <stdint.h>

#include "core/cpu.h"

/* Compilers unroll shorter loops instead of vectorizing them. */
enum { THAW_PHILOX_LANES = 64 };

/* Counters side by side: word w of counter i is word[w][i], so that each line of a round is a vector loop. */
typedef struct thaw_philox_lanes {
    uint32_t word[4][THAW_PHILOX_LANES];
} thaw_philox_lanes;

/* Runs ten rounds over the counters, which are overwritten; the four words of counter i go to output[4 * i] and
   after. */
typedef void thaw_philox_function(thaw_philox_lanes *counters, const uint32_t key[2], uint32_t *output);

THAW_DECLARE_LEVELS(thaw_philox_function, thaw_philox_blocks);

#endif
