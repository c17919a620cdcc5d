#include "core/philox_blocks.h"

#include <stddef.h>

/* Salmon et al. 2011, table 2 and section 4.3: multipliers, and the increments of the key (the golden ratio and
   sqrt(3) - 1, times 2^32). */
static const uint32_t MULTIPLIERS[2] = { 0xD2511F53, 0xCD9E8D57 };
static const uint32_t WEYL[2] = { 0x9E3779B9, 0xBB67AE85 };
enum { ROUNDS = 10 };

static inline void one_round(thaw_philox_lanes *state, uint32_t key0, uint32_t key1)
{
    for (size_t i = 0; i < THAW_PHILOX_LANES; i++) {
        const uint64_t left = (uint64_t)MULTIPLIERS[0] * state->word[0][i];
        const uint64_t right = (uint64_t)MULTIPLIERS[1] * state->word[2][i];
        state->word[0][i] = (uint32_t)(right >> 32) ^ state->word[1][i] ^ key0;
        state->word[1][i] = (uint32_t)right;
        state->word[2][i] = (uint32_t)(left >> 32) ^ state->word[3][i] ^ key1;
        state->word[3][i] = (uint32_t)left;
    }
}

/* The name is one of philox_blocks.h, by the build's -D. */
void thaw_philox_blocks(thaw_philox_lanes *counters, const uint32_t key[2], uint32_t *output)
{
    for (uint32_t i = 0; i < ROUNDS; i++)
        one_round(counters, key[0] + i * WEYL[0], key[1] + i * WEYL[1]);
    for (size_t i = 0; i < THAW_PHILOX_LANES; i++)
        for (size_t w = 0; w < 4; w++)
            output[4 * i + w] = counters->word[w][i];
}
