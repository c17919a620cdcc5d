/* Optimizer state in fewer bits than 32, built for each level of the CPU's instructions.

   Of 8 bits: dynamic quantisation by block, as Dettmers et al. 2022 (arXiv 2110.02861) have it, with the map and the
   block size of bitsandbytes. A block has the largest of its magnitudes as a float, and for each number the index of the
   nearest entry of a map, times that. A map of seven decades, from 1e-6 to 1, has twice as many entries in each as in
   the one below, at the middles of equal parts, and 0 and 1 besides. That of any sign has 1 to 64 in a decade, and as
   many below 0, but no -1: index 127 is 0. That of numbers that are not negative has 2 to 128: index 0 is 0. A block
   whose magnitudes are all below 2^-96 becomes zeros. */
#ifndef THAW_KERNELS_STATE_CODES_H
#define THAW_KERNELS_STATE_CODES_H

#include <thaw/tensor.h>

#include "core/cpu.h"

enum {
    THAW_CODE_BLOCK = 256, /* numbers of a block */
    THAW_CODE_GROUP = 64   /* memory of the numbers in the last block is a multiple of so many */
};

/* The index of 0. */
static inline uint8_t thaw_code_of_zero(bool positive)
{
    return positive ? 0 : 127;
}

/* Arrays begin at a block, and must not overlap. `positive` says that no number is negative. */
typedef struct thaw_state_code_functions {
    void (*decode)(float *values, const uint8_t *codes, const float *largest, size_t count, bool positive);
    /* Up to a multiple of THAW_CODE_GROUP behind the last value there must be zeros. */
    void (*encode)(uint8_t *codes, float *largest, const float *values, size_t count, bool positive);
    /* Rounds up with the probability of how far a number has come on its way to the next of bfloat16, by 16 bits of
       `random`: those from bit `shift` on. NaN and infinity stay. */
    void (*round)(thaw_bfloat16 *into, const float *from, const uint32_t *random, unsigned shift, size_t count);
} thaw_state_code_functions;

THAW_DECLARE_LEVELS(const thaw_state_code_functions, thaw_state_codes);

#endif
