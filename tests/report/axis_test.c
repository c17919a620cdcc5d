#include "report/axis.h"

#include <math.h>

#include "support/support.h"

/* Whether a number is 1, 2 or 5 times a power of ten. */
static bool is_round(double value)
{
    const double mantissa = value / pow(10, floor(log10(value) + 1e-9));
    return fabs(mantissa - 1) < 1e-6 || fabs(mantissa - 2) < 1e-6 || fabs(mantissa - 5) < 1e-6;
}

Test(axis, linear_ends_and_ticks_are_round_and_hold_the_values)
{
    const double ranges[][2] = { { 0, 1 }, { 0.831, 0.8312 }, { -0.3, 0.02 }, { 12, 3456 }, { 0, 1e-7 }, { -5, -4 } };
    for (size_t i = 0; i < THAW_COUNT(ranges); i++) {
        const thaw_axis axis = thaw_axis_linear(ranges[i][0], ranges[i][1], 10, 110, 4);
        const double step = axis.ticks[1] - axis.ticks[0];
        cr_assert(axis.low <= ranges[i][0] + step * 1e-5 && axis.high >= ranges[i][1] - step * 1e-5);
        cr_assert(axis.tick_count >= 2 && axis.tick_count <= 6, "%zu ticks", axis.tick_count);
        cr_assert(is_round(step), "step %g", step);
        for (size_t t = 0; t < axis.tick_count; t++) {
            const double share = (axis.ticks[t] - axis.low) / (axis.high - axis.low);
            cr_assert(fabs(thaw_axis_place(&axis, axis.ticks[t]) - (10 + 100 * share)) < 1e-9);
        }
    }
}

Test(axis, logarithmic_places_factors_evenly)
{
    const thaw_axis axis = thaw_axis_logarithmic(0.003, 4, 0, 300);
    const double once = thaw_axis_place(&axis, 0.02) - thaw_axis_place(&axis, 0.01);
    const double later = thaw_axis_place(&axis, 2) - thaw_axis_place(&axis, 1);
    cr_assert(fabs(once - later) < 1e-9 && once > 0);
    cr_assert(thaw_axis_place(&axis, 0.003) > 0 && thaw_axis_place(&axis, 4) < 300);
    for (size_t t = 0; t < axis.tick_count; t++)
        cr_assert(is_round(axis.ticks[t]), "tick %g", axis.ticks[t]);
    cr_assert_geq(axis.tick_count, 3);
}

/* Ranges that a careless axis divides by zero on, or loops over. */
Test(axis, takes_what_is_no_range, .timeout = 20)
{
    const double ranges[][2] = { { 0, 0 },
                                 { 0.5, 0.5 },
                                 { NAN, NAN },
                                 { INFINITY, -INFINITY },
                                 { 1, 1 + 1e-15 },
                                 { 0.216, 0.3 },
                                 { -1, 1 },
                                 { 1, 1.7e308 },
                                 { -1.7e308, 1.7e308 },
                                 { 5e-324, 1 },
                                 { 5e-324, 1e-323 },
                                 { 1e-308, 1.7e308 },
                                 { 1.7e308, 1.7e308 },
                                 { 1.25, 1 },
                                 { 5, 1 } };
    for (size_t i = 0; i < THAW_COUNT(ranges); i++) {
        const thaw_axis axes[] = { thaw_axis_linear(ranges[i][0], ranges[i][1], 0, 10, 4),
                                   thaw_axis_logarithmic(ranges[i][0], ranges[i][1], 0, 10) };
        for (size_t k = 0; k < 2; k++) {
            cr_assert(isfinite(axes[k].low) && isfinite(axes[k].high) && axes[k].low < axes[k].high, "range %zu", i);
            cr_assert(axes[k].tick_count > 0 && axes[k].tick_count <= THAW_AXIS_TICKS);
            cr_assert(isfinite(thaw_axis_place(&axes[k], 1)));
        }
    }
}

Test(axis, puts_what_lies_beyond_at_its_end)
{
    const thaw_axis axis = thaw_axis_linear(0, 1, 100, 0, 4);
    cr_assert(thaw_axis_place(&axis, -3) == 100 && thaw_axis_place(&axis, 7) == 0);
    cr_assert(thaw_axis_place(&axis, NAN) == 100);
}
