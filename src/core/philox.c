#include "core/philox.h"

#include <string.h>

#include "core/cpu.h"
#include "core/philox_blocks.h"

enum { LANES = THAW_PHILOX_LANES };

static thaw_philox_function *blocks_for_this_cpu(void)
{
#ifdef __x86_64__
    static thaw_philox_function *const builds[] = {
        [THAW_CPU_BASELINE] = thaw_philox_blocks_baseline,
        [THAW_CPU_V3] = thaw_philox_blocks_v3,
        [THAW_CPU_V4] = thaw_philox_blocks_v4,
    };
    return builds[thaw_cpu_detect()];
#else
    return thaw_philox_blocks_baseline;
#endif
}

void thaw_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t output[4])
{
    thaw_philox_lanes lanes = { 0 };
    uint32_t outputs[4 * LANES];
    for (size_t w = 0; w < 4; w++)
        lanes.word[w][0] = counter[w];
    blocks_for_this_cpu()(&lanes, key, outputs);
    memcpy(output, outputs, 4 * sizeof *output);
}

/* The finaliser of SplitMix64 (Steele et al. 2014): a bijection in which each bit of the input moves half of the
   output. */
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

void thaw_random_fill(const thaw_stream *stream, uint64_t first, size_t count, uint32_t *values)
{
    thaw_philox_function *const blocks = blocks_for_this_cpu();
    const uint64_t mixed = mix(mix(stream->seed) + stream->purpose);
    const uint32_t key[2] = { (uint32_t)mixed, (uint32_t)(mixed >> 32) };
    thaw_philox_lanes lanes;
    uint64_t block = first / 4;
    size_t done = 0;
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
