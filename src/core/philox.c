#include "core/philox.h"

#include <string.h>

/* Salmon et al. 2011, table 2 and section 4.3: multipliers, and the increments of the key (the golden ratio and
   sqrt(3) - 1, times 2^32). */
static const uint32_t MULTIPLIERS[2] = { 0xD2511F53, 0xCD9E8D57 };
static const uint32_t WEYL[2] = { 0x9E3779B9, 0xBB67AE85 };
enum { ROUNDS = 10, LANES = 64 };

/* Counters side by side, word w of counter i in word[w][i], so that each line of a round is a vector loop. So many of
   them because compilers unroll shorter loops before they think of vectors. */
typedef struct lanes {
    uint32_t word[4][LANES];
} lanes;

static inline void one_round(lanes *state, size_t count, uint32_t key0, uint32_t key1)
{
    for (size_t i = 0; i < count; i++) {
        const uint64_t left = (uint64_t)MULTIPLIERS[0] * state->word[0][i];
        const uint64_t right = (uint64_t)MULTIPLIERS[1] * state->word[2][i];
        state->word[0][i] = (uint32_t)(right >> 32) ^ state->word[1][i] ^ key0;
        state->word[1][i] = (uint32_t)right;
        state->word[2][i] = (uint32_t)(left >> 32) ^ state->word[3][i] ^ key1;
        state->word[3][i] = (uint32_t)left;
    }
}

static inline void ten_rounds(lanes *state, size_t count, const uint32_t key[2])
{
    for (uint32_t i = 0; i < ROUNDS; i++)
        one_round(state, count, key[0] + i * WEYL[0], key[1] + i * WEYL[1]);
}

void thaw_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t output[4])
{
    lanes state;
    for (size_t w = 0; w < 4; w++)
        state.word[w][0] = counter[w];
    ten_rounds(&state, 1, key);
    for (size_t w = 0; w < 4; w++)
        output[w] = state.word[w][0];
}

/* The finaliser of SplitMix64 (Steele et al. 2014): a bijection in which each bit of the input moves half of the output. */
static uint64_t mix(uint64_t bits)
{
    bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9;
    bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EB;
    return bits ^ (bits >> 31);
}

/* Writes LANES blocks of four numbers from block `first` on. */
static void fill_blocks(const thaw_stream *stream, const uint32_t key[2], uint64_t first, uint32_t *values)
{
    lanes state;
    for (size_t i = 0; i < LANES; i++) {
        const uint64_t block = first + i;
        state.word[0][i] = (uint32_t)block;
        state.word[1][i] = (uint32_t)(block >> 32 & 0xFFFF) | (uint32_t)(stream->step >> 32) << 16;
        state.word[2][i] = (uint32_t)stream->step;
        state.word[3][i] = stream->node;
    }
    ten_rounds(&state, LANES, key);
    for (size_t i = 0; i < LANES; i++)
        for (size_t w = 0; w < 4; w++)
            values[4 * i + w] = state.word[w][i];
}

void thaw_random_fill(const thaw_stream *stream, uint64_t first, size_t count, uint32_t *values)
{
    const uint64_t mixed = mix(mix(stream->seed) + stream->purpose);
    const uint32_t key[2] = { (uint32_t)mixed, (uint32_t)(mixed >> 32) };
    uint64_t block = first / 4;
    size_t done = 0;
    for (; count - done >= 4 * LANES; done += 4 * LANES, block += LANES)
        fill_blocks(stream, key, block, values + done);
    if (done < count) {
        uint32_t rest[4 * LANES];
        fill_blocks(stream, key, block, rest);
        memcpy(values + done, rest, (count - done) * sizeof *values);
    }
}
