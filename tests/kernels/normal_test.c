/* Normal numbers beside Box and Muller's transform in double precision, and the same at every level of instructions. */
#include <math.h>
#include <string.h>

#include "core/cpu.h"
#include "kernels/normal_loops.h"
#include "support/support.h"

enum { EXTREMES = 16, COUNT = 4096 };

/* Pairs of the draws where formulas change or nearly fail, then numbers of a linear congruential generator. */
static void fill_draws(uint32_t draws[COUNT])
{
    static const uint32_t extremes[EXTREMES] = { 0,          0,          1,          0x1FFFFFFF, 0x7FFFFFFF, 0x20000000,
                                                 0x80000000, 0x3FFFFFFF, 0xB504F333, 0x60000000, 0x5A827999, 0x9FFFFFFF,
                                                 0xFF000000, 0xA0000000, 0xFFFFFF00, 0xFFFFFFFF };
    uint64_t state = 1;
    memcpy(draws, extremes, sizeof extremes);
    for (size_t i = EXTREMES; i < COUNT; i++) {
        state = state * 6364136223846793005 + 1442695040888963407;
        draws[i] = (uint32_t)(state >> 32);
    }
}

static void check_level(thaw_normal_function *function, const uint32_t draws[COUNT])
{
    float found[COUNT];
    function(draws, COUNT, 1, found);
    for (size_t i = 0; i < COUNT; i += 2) {
        const double uniform = (double)((float)draws[i] + 1) / 4294967296; /* in single precision */
        const double radius = sqrt(-2 * log(uniform)), angle = 2 * acos(-1) * (double)draws[i + 1] / 4294967296;
        const double expected[2] = { radius * cos(angle), radius * sin(angle) };
        for (size_t k = 0; k < 2; k++)
            cr_assert(fabs((double)found[i + k] - expected[k]) < 1e-6, "%zu of %x and %x is %.9g, wanted %.9g", k,
                      draws[i], draws[i + 1], (double)found[i + k], expected[k]);
    }
}

Test(normal, numbers_are_those_of_box_and_muller)
{
    uint32_t draws[COUNT];
    fill_draws(draws);
    for (thaw_cpu_level level = THAW_CPU_BASELINE; level <= thaw_cpu_detect(); level++)
        check_level(THAW_FOR_LEVEL(level, thaw_normal_loops), draws);
}

Test(normal, numbers_are_the_same_at_every_level_and_in_every_part)
{
    uint32_t draws[COUNT];
    float expected[COUNT], found[COUNT];
    fill_draws(draws);
    thaw_normal_loops_baseline(draws, COUNT, 0.3F, expected);
    for (thaw_cpu_level level = THAW_CPU_BASELINE; level <= thaw_cpu_detect(); level++) {
        for (size_t first = 0, count = 2; first + count <= COUNT; first += count, count += 2)
            THAW_FOR_LEVEL(level, thaw_normal_loops)(draws + first, count, 0.3F, found + first);
        cr_assert_eq(memcmp(found, expected, 4032 * sizeof *found), 0, "level %d", (int)level); /* 2 + 4 + ... + 126 */
        THAW_FOR_LEVEL(level, thaw_normal_loops)(draws, COUNT, 0.3F, found);
        cr_assert_eq(memcmp(found, expected, sizeof found), 0, "level %d", (int)level);
    }
}
