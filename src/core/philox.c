#include "core/philox.h"

#include <string.h>

#include "core/context.h"
#include "core/philox_blocks.h"

enum { LANES = THAW_PHILOX_LANES };

/* The finalizer of SplitMix64 (Steele et al. 2014): a bijection in which each input bit flips half of the output
   bits. */
static uint64_t mix(uint64_t bits)
{
    bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9;
    bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EB;
    return bits ^ (bits >> 31);
}

static void set_counters(const thaw_stream *stream, uint64_t first, thaw_philox_lanes *lanes)
{
    for (size_t i = 0; i < LANES; i++) {
        const uint64_t block = first + i;
        lanes->word[0][i] = (uint32_t)block;
        lanes->word[1][i] = (uint32_t)(block >> 32 & 0xFFFF) | (uint32_t)(stream->step >> 32) << 16;
        lanes->word[2][i] = (uint32_t)stream->step;
        lanes->word[3][i] = stream->node;
    }
}

/* From a number on that does not begin a block. */
static void fill_from_within(const thaw_stream *stream, uint64_t begin, const uint32_t key[2],
                             thaw_philox_function *blocks, size_t count, uint32_t *values)
{
    thaw_philox_lanes lanes;
    uint32_t some[4 * LANES];
    size_t skipped = begin % 4;
    for (uint64_t block = begin / 4; count > 0; block += LANES) {
        const size_t most = 4 * LANES - skipped, taken = count < most ? count : most;
        set_counters(stream, block, &lanes);
        blocks(&lanes, key, some);
        memcpy(values, some + skipped, taken * sizeof *values);
        values += taken;
        count -= taken;
        skipped = 0;
    }
}

void thaw_random_fill(const thaw_context *context, const thaw_stream *stream, uint64_t first, size_t count,
                      uint32_t *values)
{
    thaw_philox_function *const blocks = THAW_FOR_LEVEL(context->level, thaw_philox_blocks);
    const uint64_t mixed = mix(mix(stream->seed) + stream->purpose);
    const uint32_t key[2] = { (uint32_t)mixed, (uint32_t)(mixed >> 32) };
    thaw_philox_lanes lanes;
    const uint64_t begin = stream->origin + first;
    uint64_t block = begin / 4;
    size_t done = 0;
    if (begin % 4 != 0) {
        fill_from_within(stream, begin, key, blocks, count, values);
        return;
    }
    for (; count - done >= 4 * LANES; done += 4 * LANES, block += LANES) {
        set_counters(stream, block, &lanes);
        blocks(&lanes, key, values + done);
    }
    if (done < count) {
        uint32_t rest[4 * LANES];
        set_counters(stream, block, &lanes);
        blocks(&lanes, key, rest);
        memcpy(values + done, rest, (count - done) * sizeof *values);
    }
}
