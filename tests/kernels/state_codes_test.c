/* State in 8 bits and in bfloat16 rounded by chance: the maps against the published construction, codes against a search
   of the whole map, rounding against its probabilities; on all levels of this CPU. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/cpu.h"
#include "kernels/bfloat16.h"
#include "kernels/state_codes.h"
#include "support/support.h"

enum { ENTRIES = 256, BLOCKS = 5, SOME = BLOCKS * THAW_CODE_BLOCK };

static int ascending(const void *left, const void *right)
{
    const double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* 0, 1, and in each of seven decades the middles of equal parts, of which there are twice as many as in the one below. */
static void make_map(bool positive, double map[ENTRIES])
{
    size_t count = 0;
    map[count++] = 0;
    map[count++] = 1;
    for (int decade = 0; decade < 7; decade++) {
        const int parts = (positive ? 2 : 1) << decade;
        for (int i = 0; i < parts; i++) {
            const double middle = pow(10, decade - 6) * (0.1 + 0.9 * (i + 0.5) / parts);
            map[count++] = middle;
            if (!positive)
                map[count++] = -middle;
        }
    }
    cr_assert_eq(count, ENTRIES);
    qsort(map, ENTRIES, sizeof *map, ascending);
}

static const thaw_state_code_functions *at_level(thaw_cpu_level level)
{
    return THAW_FOR_LEVEL(level, &thaw_state_codes);
}

Test(state_codes, decodes_the_published_maps)
{
    double map[ENTRIES];
    uint8_t codes[ENTRIES];
    float values[ENTRIES];
    for (size_t i = 0; i < ENTRIES; i++)
        codes[i] = (uint8_t)i;
    for (thaw_cpu_level level = THAW_CPU_BASELINE; level <= thaw_cpu_detect(); level++)
        for (int positive = 0; positive < 2; positive++) {
            const float largest = 3.5e-3F;
            make_map(positive, map);
            at_level(level)->decode(values, codes, &largest, ENTRIES, positive);
            for (size_t i = 0; i < ENTRIES; i++)
                cr_assert(fabs((double)values[i] - map[i] * (double)largest) <= 2e-6 * fabs(map[i]) * (double)largest,
                          "level %d, positive %d: entry %zu is %.9g, expected %.9g", (int)level, positive, i,
                          (double)values[i], map[i] * (double)largest);
        }
}

/* Numbers of many magnitudes, with a block that has nothing, and one that has one number. */
static void fill(float *values, bool positive)
{
    support_fill(values, SOME, 7);
    for (size_t i = 0; i < SOME; i++) {
        values[i] *= powf(10, -(float)(i % 37) / 4);
        if (positive)
            values[i] = fabsf(values[i]);
    }
    memset(values + THAW_CODE_BLOCK, 0, 2 * THAW_CODE_BLOCK * sizeof *values);
    values[2 * THAW_CODE_BLOCK + 99] = positive ? 5e-20F : -5e-20F;
}

/* How far the entry is from `value`, beyond the nearest, both relative to the block's largest. */
static void assert_nearest(const double *map, uint8_t code, double value, const char *what)
{
    double nearest = INFINITY;
    for (size_t k = 0; k < ENTRIES; k++)
        nearest = fmin(nearest, fabs(map[k] - value));
    const double found = fabs(map[code] - value);
    cr_assert(found <= nearest + 3e-6 * fmax(fabs(value), 1e-7), "%s: %.9g became %.9g, %.3g away instead of %.3g",
              what, value, map[code], found, nearest);
}

Test(state_codes, encodes_the_nearest_entry)
{
    double map[ENTRIES];
    float values[SOME], largest[BLOCKS];
    uint8_t codes[SOME];
    for (thaw_cpu_level level = THAW_CPU_BASELINE; level <= thaw_cpu_detect(); level++)
        for (int positive = 0; positive < 2; positive++) {
            make_map(positive, map);
            fill(values, positive);
            at_level(level)->encode(codes, largest, values, SOME, positive);
            for (size_t b = 0; b < BLOCKS; b++) {
                float expected = 0;
                for (size_t i = 0; i < THAW_CODE_BLOCK; i++)
                    expected = fmaxf(expected, fabsf(values[b * THAW_CODE_BLOCK + i]));
                cr_assert_eq(largest[b], expected);
                for (size_t i = b * THAW_CODE_BLOCK; i < (b + 1) * THAW_CODE_BLOCK; i++)
                    if (expected > 0)
                        assert_nearest(map, codes[i], (double)values[i] / (double)expected, "a number");
                    else
                        cr_assert_eq(codes[i], thaw_code_of_zero(positive));
            }
        }
}

/* Around the middle between each entry and the next. */
Test(state_codes, changes_over_in_the_middle)
{
    enum { ABOUT = 4 };
    double map[ENTRIES];
    for (thaw_cpu_level level = THAW_CPU_BASELINE; level <= thaw_cpu_detect(); level++)
        for (int positive = 0; positive < 2; positive++) {
            make_map(positive, map);
            for (size_t k = 0; k + 1 < ENTRIES; k++) {
                float values[THAW_CODE_GROUP] = { 1 }, largest;
                uint8_t codes[THAW_CODE_GROUP];
                const double middle = (map[k] + map[k + 1]) / 2;
                for (int i = 0; i < 2 * ABOUT; i++)
                    values[1 + i] = (float)(middle + (i - ABOUT + 0.5) * 1e-4 * (map[k + 1] - map[k]));
                at_level(level)->encode(codes, &largest, values, THAW_CODE_GROUP, positive);
                for (int i = 0; i < 2 * ABOUT; i++)
                    cr_assert_eq(codes[1 + i], k + (i >= ABOUT), "level %d, positive %d: %.9g became entry %d of %zu",
                                 (int)level, positive, (double)values[1 + i], codes[1 + i], k);
            }
        }
}

Test(state_codes, encodes_what_it_decoded_as_it_was)
{
    float values[SOME], largest[BLOCKS], again[BLOCKS];
    uint8_t codes[SOME], same[SOME];
    for (thaw_cpu_level level = THAW_CPU_BASELINE; level <= thaw_cpu_detect(); level++) {
        fill(values, true);
        at_level(level)->encode(codes, largest, values, SOME, true);
        at_level(level)->decode(values, codes, largest, SOME, true);
        at_level(level)->encode(same, again, values, SOME, true);
        cr_assert_eq(memcmp(codes, same, sizeof codes), 0, "level %d", (int)level);
    }
}

Test(state_codes, makes_zeros_of_what_is_too_small_to_divide_by)
{
    float values[THAW_CODE_GROUP] = { 0x1p-97F, -0x1p-140F }, largest = 1;
    uint8_t codes[THAW_CODE_GROUP];
    for (thaw_cpu_level level = THAW_CPU_BASELINE; level <= thaw_cpu_detect(); level++) {
        at_level(level)->encode(codes, &largest, values, THAW_CODE_GROUP, false);
        cr_assert_eq(largest, 0);
        at_level(level)->decode(values, codes, &largest, THAW_CODE_GROUP, false);
        for (size_t i = 0; i < THAW_CODE_GROUP; i++)
            cr_assert_eq(values[i], 0);
    }
}

/* ---- bfloat16 ---- */

Test(state_codes, rounds_up_as_often_as_a_number_has_come_far)
{
    enum { DRAWS = 1 << 16 };
    static uint32_t random[DRAWS];
    static float values[DRAWS];
    static thaw_bfloat16 rounded[DRAWS];
    const uint32_t lower = 0x3F81, part = 0x3123; /* of 2^16 */
    for (thaw_cpu_level level = THAW_CPU_BASELINE; level <= thaw_cpu_detect(); level++)
        for (unsigned shift = 0; shift <= 16; shift += 16) {
            size_t up = 0;
            for (size_t i = 0; i < DRAWS; i++) {
                const uint32_t bits = (i % 2 ? 0x80000000U : 0) | lower << 16 | part;
                memcpy(&values[i], &bits, sizeof bits);
                random[i] = shift ? (uint32_t)i << 16 | 0xFFFF : (uint32_t)i | 0xFFFF0000U;
            }
            at_level(level)->round(rounded, values, random, shift, DRAWS);
            for (size_t i = 0; i < DRAWS; i++) {
                const uint32_t magnitude = rounded[i] & 0x7FFFU;
                cr_assert(magnitude == lower || magnitude == lower + 1);
                cr_assert_eq(rounded[i] >> 15, i % 2);
                up += magnitude != lower;
            }
            cr_assert_eq(up, part, "level %d: %zu of %d", (int)level, up, DRAWS);
        }
}

Test(state_codes, keeps_what_bfloat16_has_and_what_is_not_finite)
{
    const float values[] = { 1.5F, -0.0F, 0, -2, 0x1p-133F, INFINITY, -INFINITY, NAN };
    enum { COUNT = THAW_COUNT(values) };
    uint32_t random[COUNT];
    thaw_bfloat16 rounded[COUNT];
    memset(random, 0xFF, sizeof random);
    for (thaw_cpu_level level = THAW_CPU_BASELINE; level <= thaw_cpu_detect(); level++) {
        at_level(level)->round(rounded, values, random, 0, COUNT);
        for (size_t i = 0; i + 1 < COUNT; i++) {
            const float wide = thaw_bfloat16_widen(rounded[i]);
            cr_assert_eq(memcmp(&wide, &values[i], sizeof wide), 0, "%g became %g", (double)values[i], (double)wide);
        }
        cr_assert(isnan(thaw_bfloat16_widen(rounded[COUNT - 1])));
    }
}
