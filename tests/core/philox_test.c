#include "core/philox.h"

#include <string.h>

#include "core/cpu.h"
#include "core/philox_blocks.h"
#include "support/philox.h"
#include "support/support.h"

static thaw_context *context;

static void begin(void)
{
    context = support_context(1);
}

static void end(void)
{
    thaw_context_destroy(context);
}

TestSuite(philox, .init = begin, .fini = end);

static void philox(thaw_philox_function *blocks, const uint32_t counter[4], const uint32_t key[2], uint32_t output[4])
{
    thaw_philox_lanes lanes = { 0 };
    uint32_t outputs[4 * THAW_PHILOX_LANES];
    for (size_t w = 0; w < 4; w++)
        lanes.word[w][0] = counter[w];
    blocks(&lanes, key, outputs);
    memcpy(output, outputs, 4 * sizeof *output);
}

/* The known answers of Random123 1.14, file kat_vectors, philox4x32 with 10 rounds. */
Test(philox, known_answers)
{
    static const struct {
        uint32_t counter[4], key[2], output[4];
    } cases[] = {
        { { 0 }, { 0 }, { 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 } },
        { { 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff },
          { 0xffffffff, 0xffffffff },
          { 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd } },
        { { 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344 },
          { 0xa4093822, 0x299f31d0 },
          { 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1 } },
    };
    for (thaw_cpu_level level = THAW_CPU_BASELINE; level <= thaw_cpu_detect(); level++)
        for (size_t i = 0; i < THAW_COUNT(cases); i++) {
            uint32_t output[4];
            philox(THAW_FOR_LEVEL(level, thaw_philox_blocks), cases[i].counter, cases[i].key, output);
            cr_assert_arr_eq(output, cases[i].output, sizeof output, "level %d, case %zu: %08x %08x %08x %08x",
                             (int)level, i, output[0], output[1], output[2], output[3]);
        }
}

static thaw_philox_lanes some_counters(void)
{
    thaw_philox_lanes counters;
    for (uint32_t w = 0; w < 4; w++)
        for (uint32_t i = 0; i < THAW_PHILOX_LANES; i++)
            counters.word[w][i] = (4 * i + w) * 2654435761U;
    return counters;
}

Test(philox, all_levels_agree)
{
    const uint32_t key[2] = { 0xdeadbeef, 0x01234567 };
    uint32_t expected_output[4 * THAW_PHILOX_LANES], output[4 * THAW_PHILOX_LANES];
    thaw_philox_lanes counters = some_counters();
    thaw_philox_blocks_baseline(&counters, key, expected_output);
    for (thaw_cpu_level level = THAW_CPU_V3; level <= thaw_cpu_detect(); level++) {
        counters = some_counters();
        THAW_FOR_LEVEL(level, thaw_philox_blocks)(&counters, key, output);
        cr_assert_arr_eq(output, expected_output, sizeof output, "level %d", (int)level);
    }
}

static uint32_t expected(const thaw_stream *stream, uint64_t element)
{
    const uint64_t key = support_philox_key(stream->seed, stream->purpose), block = element / 4;
    const uint32_t counter[4] = { (uint32_t)block,
                                  (uint32_t)((block >> 32 & 0xFFFF) | (stream->step >> 32 & 0xFFFF) << 16),
                                  (uint32_t)stream->step, stream->node };
    uint32_t output[4];
    philox(thaw_philox_blocks_baseline, counter, (uint32_t[]){ (uint32_t)key, (uint32_t)(key >> 32) }, output);
    return output[element % 4];
}

Test(philox, elements_are_those_of_the_documented_counters)
{
    static const thaw_stream streams[] = {
        { .seed = 0, .purpose = 1 },
        { .seed = 0x0123456789abcdef, .purpose = THAW_PURPOSE_LAYER, .node = 77, .step = 0xfeed12345678 },
        { .seed = UINT64_MAX, .purpose = UINT32_MAX, .node = UINT32_MAX, .step = (UINT64_C(1) << 48) - 1 },
    };
    static const uint64_t firsts[] = { 0, 4, 400, (UINT64_C(1) << 34) - 64, (UINT64_C(1) << 50) - 1024 };
    for (size_t s = 0; s < THAW_COUNT(streams); s++)
        for (size_t f = 0; f < THAW_COUNT(firsts); f++) {
            uint32_t values[600];
            thaw_random_fill(context, &streams[s], firsts[f], THAW_COUNT(values), values);
            for (size_t i = 0; i < THAW_COUNT(values); i++)
                cr_assert_eq(values[i], expected(&streams[s], firsts[f] + i), "stream %zu, element %zu", s, i);
        }
}

Test(philox, a_fill_writes_its_count_whatever_the_cut)
{
    const thaw_stream stream = { .seed = 5, .purpose = 3, .node = 2, .step = 9 };
    uint32_t whole[1100], values[1100];
    thaw_random_fill(context, &stream, 0, THAW_COUNT(whole), whole);
    for (size_t count = 0; count <= 1000; count += count < 300 ? 1 : 37)
        for (size_t first = 0; first <= 8; first++) {
            thaw_stream later = stream;
            later.origin = first / 2;
            memset(values, 0xA5, sizeof values);
            thaw_random_fill(context, &later, first - first / 2, count, values);
            cr_assert(memcmp(values, whole + first, count * sizeof *values) == 0, "%zu from %zu", count, first);
            cr_assert_eq(values[count], 0xA5A5A5A5, "%zu numbers: one more was written", count);
        }
}

/* Neighbours in every coordinate get numbers of their own: none of 2000 64-bit pairs is seen twice. */
Test(philox, neighbouring_streams_differ)
{
    uint64_t seen[2000];
    size_t count = 0;
    for (uint64_t seed = 0; seed < 10; seed++)
        for (uint32_t purpose = 1; purpose <= 5; purpose++)
            for (uint32_t node = 0; node < 4; node++)
                for (uint64_t step = 0; step < 10; step++) {
                    const thaw_stream stream = { .seed = seed, .purpose = purpose, .node = node, .step = step };
                    uint32_t pair[2];
                    thaw_random_fill(context, &stream, 0, 2, pair);
                    seen[count] = (uint64_t)pair[0] << 32 | pair[1];
                    for (size_t i = 0; i < count; i++)
                        cr_assert_neq(seen[i], seen[count]);
                    count++;
                }
}

Test(philox, unit_is_uniform_and_below_one)
{
    cr_assert(thaw_unit(0) == 0);
    cr_assert(thaw_unit(UINT32_MAX) < 1);
    static uint32_t bits[100000];
    thaw_random_fill(context, &(thaw_stream){ .seed = 3, .purpose = 1 }, 0, THAW_COUNT(bits), bits);
    double sum = 0;
    size_t below_tenth = 0;
    for (size_t i = 0; i < THAW_COUNT(bits); i++) {
        sum += (double)thaw_unit(bits[i]);
        below_tenth += thaw_unit(bits[i]) < 0.1F;
    }
    /* Five standard deviations. */
    cr_assert_float_eq(sum / THAW_COUNT(bits), 0.5, 5 * 0.2887 / 316.2);
    cr_assert_float_eq((double)below_tenth / THAW_COUNT(bits), 0.1, 5 * 0.3 / 316.2);
}
