/* The exponential function of attention and of losses over tokens (kernels/lane_functions.h), at each level of the CPU,
   as the gradient of logits whose largest is 0. */
#include <math.h>
#include <string.h>

#include "kernels/cross_entropy.h"
#include "support/support.h"

enum { COUNT = 1024, STEP = 997 /* of the numbers from 0 to 88 and -88, in the order of their bits */ };

static const uint32_t most = 0x42B00000; /* 88 */
static const double most_error = 1.01;   /* as kernels/lane_functions.h says */

static float number_of(uint32_t bits, bool negative)
{
    float value;
    bits |= negative ? 0x80000000U : 0;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* The distance from the exact value, in units of its last place. */
static double error_of(float found, float x)
{
    const long double exact = expl((long double)x);
    const int exponent = ilogbl(exact);
    return (double)(fabsl((long double)found - exact) * ldexpl(1, 23 - (exponent < -126 ? -126 : exponent)));
}

static void check(const thaw_cross_entropy_functions *loops, bool negative)
{
    float x[COUNT], found[COUNT];
    for (uint32_t bits = 0; bits <= most;) {
        for (size_t i = 0; i < COUNT; i++, bits += STEP)
            x[i] = number_of(bits <= most ? bits : most, negative);
        loops->differentiate(x, NULL, COUNT, 0, 1, 0, found);
        for (size_t i = 0; i < COUNT; i++)
            if (x[i] >= -87.68F)
                cr_assert_leq(error_of(found[i], x[i]), most_error, "%.9g: %.9g", (double)x[i], (double)found[i]);
            else
                cr_assert(found[i] >= 0 && found[i] <= 1e-38F, "%.9g: %.9g", (double)x[i], (double)found[i]);
    }
}

Test(exponential, is_as_exact_as_its_comment_says)
{
    for (thaw_cpu_level level = THAW_CPU_BASELINE; level <= thaw_cpu_detect(); level++) {
        check(THAW_FOR_LEVEL(level, &thaw_cross_entropy_loops), false);
        check(THAW_FOR_LEVEL(level, &thaw_cross_entropy_loops), true);
    }
}

Test(exponential, of_what_is_no_number_is_none)
{
    const float x[] = { NAN, -INFINITY, -1e30F, -88, 0, -0.0F };
    float found[THAW_COUNT(x)];
    for (thaw_cpu_level level = THAW_CPU_BASELINE; level <= thaw_cpu_detect(); level++) {
        THAW_FOR_LEVEL(level, &thaw_cross_entropy_loops)->differentiate(x, NULL, THAW_COUNT(x), 0, 1, 0, found);
        cr_assert(isnan(found[0]));
        for (size_t i = 1; i < 4; i++)
            cr_assert_eq((double)found[i], 0, "%g", (double)found[i]);
        cr_assert(found[4] == 1 && found[5] == 1);
    }
}
