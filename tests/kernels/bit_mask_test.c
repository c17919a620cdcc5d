#include <float.h>
#include <math.h>
#include <string.h>

#include "kernels/bit_mask.h"
#include "support/support.h"

enum { MOST = 40000 };

static float values[MOST], passed[MOST];
static uint32_t mask[MOST / 32 + 1];

static void fill(size_t count)
{
    static const float odd[] = { 0, -0.0F, NAN, -NAN, INFINITY, -INFINITY, FLT_MIN, -FLT_MIN, 0x1p-149F, -0x1p-149F };
    support_fill(values, count, (uint32_t)count);
    for (size_t i = 0; i < count; i += 7)
        values[i] = odd[i / 7 % THAW_COUNT(odd)];
}

static bool is_set(size_t i)
{
    return mask[i / 32] >> i % 32 & 1;
}

Test(bit_mask, has_the_bits_of_what_is_above_zero)
{
    static const size_t counts[] = { 1, 31, 32, 33, 100, 16384, 16385, MOST };
    thaw_context *context = support_context(2);
    for (size_t n = 0; n < THAW_COUNT(counts); n++) {
        const size_t count = counts[n];
        fill(count);
        memset(mask, 0xff, sizeof mask);
        thaw_bit_mask_mark(context, mask, (thaw_values){ values, THAW_F32 }, count);
        for (size_t i = 0; i < (count + 31) / 32 * 32; i++)
            cr_assert_eq(is_set(i), i < count && values[i] > 0, "%zu of %zu: %g", i, count, (double)values[i]);
        cr_assert_eq(thaw_bit_mask_bytes(count), (count + 31) / 32 * 4);
    }
    thaw_context_destroy(context);
}

Test(bit_mask, lets_pass_what_is_marked)
{
    static const size_t counts[] = { 1, 45, MOST - 1 };
    thaw_context *context = support_context(2);
    for (size_t n = 0; n < THAW_COUNT(counts); n++) {
        const size_t count = counts[n];
        fill(count);
        for (size_t i = 0; i < THAW_COUNT(mask); i++)
            mask[i] = (uint32_t)i * 2654435761U;
        memcpy(passed, values, sizeof passed);
        thaw_bit_mask_apply(context, (thaw_values){ passed, THAW_F32 }, mask, (thaw_values){ passed, THAW_F32 }, count);
        for (size_t i = 0; i < count; i++) {
            const float wanted = is_set(i) ? values[i] : 0;
            cr_assert(memcmp(&passed[i], &wanted, sizeof wanted) == 0, "%zu of %zu: %g", i, count, (double)passed[i]);
        }
    }
    thaw_context_destroy(context);
}

Test(bit_mask, knows_bfloat16)
{
    enum { COUNT = 1000 };
    static thaw_bfloat16 halves[COUNT], results[COUNT];
    thaw_context *context = support_context(2);
    fill(COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        uint32_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        halves[i] = (thaw_bfloat16)(bits >> 16); /* cut off: denormal numbers may become zero */
    }
    const thaw_values from = { halves, THAW_BF16 };
    thaw_bit_mask_mark(context, mask, from, COUNT);
    thaw_bit_mask_apply(context, (thaw_values){ results, THAW_BF16 }, mask, from, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        const uint32_t bits = (uint32_t)halves[i] << 16;
        float value;
        memcpy(&value, &bits, sizeof value);
        cr_assert_eq(is_set(i), value > 0, "%zu: %g", i, (double)value);
        cr_assert_eq(results[i], value > 0 ? halves[i] : 0, "%zu: %g", i, (double)value);
    }
    thaw_context_destroy(context);
}
