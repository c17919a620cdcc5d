/* Philox4x32-10, a counter-based generator: Salmon et al. 2011. thaw_random_fill is its public face. */
#ifndef THAW_CORE_PHILOX_H
#define THAW_CORE_PHILOX_H

#include <thaw/module.h>

/* What a stream is for. The key is (seed, purpose), the counter (step, node, element / 4). */
enum thaw_purpose {
    THAW_PURPOSE_INITIAL = 1,
    THAW_PURPOSE_SHUFFLE = 2,
    THAW_PURPOSE_LAYER = 3 /* dropout, and what users' layers draw */
};

/* The bare function: ten rounds over a 128-bit counter with a 64-bit key. */
void thaw_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t output[4]);

/* A number in [0, 1) with 24 bits, exact in a float. */
static inline float thaw_unit(uint32_t bits)
{
    return (float)(bits >> 8) * 0x1p-24F;
}

#endif
