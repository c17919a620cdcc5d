#include "kernels/bfloat16.h"

#include <math.h>

#include "core/cpu.h"
#include "kernels/bfloat16_loops.h"
#include "support/support.h"

static float from_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* The nearest of the two neighbours, by distances in double arithmetic. */
static thaw_bfloat16 nearest(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    const uint32_t below = bits & 0xFFFF0000, above = below + 0x10000;
    const double down = fabs((double)value - (double)from_bits(below));
    /* Beyond the largest number stands what would follow it. */
    const double next =
        (above & 0x7FFFFFFF) == 0x7F800000 ? copysign(0x1p128, (double)value) : (double)from_bits(above);
    const double up = fabs(next - (double)value);
    if (down != up)
        return (thaw_bfloat16)((down < up ? below : above) >> 16);
    return (thaw_bfloat16)((below >> 16 & 1 ? above : below) >> 16);
}

/* Every upper half, with lower halves on both sides of the middle and on it. */
Test(bfloat16, rounds_to_the_nearest)
{
    static const uint32_t lower[] = { 0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF };
    for (uint32_t upper = 0; upper < 0x10000; upper++)
        for (size_t i = 0; i < THAW_COUNT(lower); i++) {
            const float value = from_bits(upper << 16 | lower[i]);
            const thaw_bfloat16 rounded = thaw_bfloat16_round(value);
            if (isnan(value))
                cr_assert(isnan(thaw_bfloat16_widen(rounded)), "%08x became %04x", upper << 16 | lower[i], rounded);
            else if (isinf(value))
                cr_assert_eq(rounded, upper);
            else
                cr_assert_eq(rounded, nearest(value), "%08x became %04x", upper << 16 | lower[i], rounded);
        }
}

Test(bfloat16, widens_exactly)
{
    cr_assert(thaw_bfloat16_widen(0x3F80) == 1.0F);
    cr_assert(thaw_bfloat16_widen(0xC049) == -3.140625F);
    cr_assert(thaw_bfloat16_widen(0x0001) == 0x1p-133F);
}

enum { COUNT = 531 };

static void fill(float *values, thaw_bfloat16 *bf16, uint32_t seed)
{
    support_fill(values, COUNT, seed);
    values[0] = NAN;
    values[1] = -INFINITY;
    values[2] = 3.4e38F;
    for (size_t i = 0; i < COUNT; i++)
        bf16[i] = thaw_bfloat16_round(values[COUNT - 1 - i]);
}

static void check_loops(const thaw_bfloat16_functions *loops, thaw_cpu_level level)
{
    float wide[COUNT], into[COUNT];
    thaw_bfloat16 bf16[COUNT], rounded[COUNT];
    fill(wide, bf16, 1);
    loops->round(rounded, wide, COUNT);
    loops->widen(into, bf16, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        const float expected = thaw_bfloat16_widen(bf16[i]);
        cr_assert_eq(rounded[i], thaw_bfloat16_round(wide[i]), "level %d", (int)level);
        cr_assert(memcmp(&into[i], &expected, sizeof expected) == 0, "level %d", (int)level);
    }
    loops->widen_and_add(into, bf16, COUNT);
    loops->add_and_round(rounded, wide, COUNT);
    for (size_t i = 3; i < COUNT - 3; i++) {
        const float term = thaw_bfloat16_widen(bf16[i]);
        cr_assert(into[i] == term + term, "level %d", (int)level);
        cr_assert_eq(rounded[i], thaw_bfloat16_round(thaw_bfloat16_widen(thaw_bfloat16_round(wide[i])) + wide[i]),
                     "level %d", (int)level);
    }
    loops->round(rounded, wide, COUNT);
    loops->add(rounded, bf16, COUNT);
    for (size_t i = 3; i < COUNT - 3; i++)
        cr_assert_eq(rounded[i],
                     thaw_bfloat16_round(thaw_bfloat16_widen(thaw_bfloat16_round(wide[i])) +
                                         thaw_bfloat16_widen(bf16[i])),
                     "level %d", (int)level);
}

Test(bfloat16, loops_of_each_instruction_level_agree)
{
    for (thaw_cpu_level level = THAW_CPU_BASELINE; level <= thaw_cpu_detect(); level++)
        check_loops(THAW_FOR_LEVEL(level, &thaw_bfloat16_loops), level);
}

/* More than a thread's share, and a rest. */
Test(bfloat16, converts_and_adds_on_all_threads)
{
    enum { MANY = 70001 };
    static float wide[MANY], back[MANY];
    static thaw_bfloat16 bf16[MANY], twice[MANY];
    thaw_context *context = support_context(3);
    support_fill(wide, MANY, 4);
    thaw_values_convert(context, (thaw_values){ bf16, THAW_BF16 }, (thaw_values){ wide, THAW_F32 }, MANY);
    thaw_values_convert(context, (thaw_values){ back, THAW_F32 }, (thaw_values){ bf16, THAW_BF16 }, MANY);
    for (size_t i = 0; i < MANY; i++)
        cr_assert(back[i] == thaw_bfloat16_widen(thaw_bfloat16_round(wide[i])));
    thaw_values_add(context, (thaw_values){ back, THAW_F32 }, (thaw_values){ bf16, THAW_BF16 }, MANY);
    memcpy(twice, bf16, sizeof bf16);
    thaw_values_add(context, (thaw_values){ twice, THAW_BF16 }, (thaw_values){ bf16, THAW_BF16 }, MANY);
    for (size_t i = 0; i < MANY; i++)
        cr_assert(back[i] == thaw_bfloat16_widen(twice[i]), "%zu", i);
    thaw_context_destroy(context);
}
