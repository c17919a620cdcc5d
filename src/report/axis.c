#include "report/axis.h"

#include <math.h>

/* Clamps a value to where the sums and products of an axis do not overflow. */
static double within(double value)
{
    static const double LEAST = 1e-300, MOST = 1e300;
    const double size = fabs(value);
    return value == 0 || (size >= LEAST && size <= MOST) ? value : copysign(size < LEAST ? LEAST : MOST, value);
}

/* The smallest of 1, 2 and 5 times a power of ten that is at least `least`. */
static double round_step(double least)
{
    const double power = pow(10, floor(log10(least)));
    const double share = least / power;
    return (share <= 1.0000001 ? 1 : share <= 2.0000001 ? 2 : share <= 5.0000001 ? 5 : 10) * power;
}

thaw_axis thaw_axis_linear(double low, double high, double begin, double end, size_t most)
{
    if (!isfinite(low) || !isfinite(high)) {
        low = 0;
        high = 1;
    }
    const double lesser = within(fmin(low, high));
    high = within(fmax(low, high));
    low = lesser;
    if (high - low <= 1e-9 * fmax(fabs(low), fabs(high))) {
        const double room = low == 0 ? 1 : 0.1 * fabs(low);
        low -= room;
        high += room;
    }
    thaw_axis axis = { .begin = begin, .end = end };
    most = most < THAW_AXIS_TICKS - 2 ? most : THAW_AXIS_TICKS - 2;
    const double step = round_step((high - low) / (double)most);
    const double first = floor(low / step + 1e-6), last = ceil(high / step - 1e-6);
    axis.low = first * step;
    axis.high = last * step;
    axis.decimals = step < 1 ? (int)ceil(-log10(step) - 1e-9) : 0;
    for (double i = first; i <= last && axis.tick_count < THAW_AXIS_TICKS; i++)
        axis.ticks[axis.tick_count++] = i * step;
    return axis;
}

/* The first `each` of 1, 2 and 5 times each power of ten; returns how many lie on the axis. */
static size_t mark_powers(thaw_axis *axis, size_t each)
{
    static const double steps[] = { 1, 5, 2 };
    size_t count = 0;
    axis->tick_count = 0;
    for (double power = floor(log10(axis->low)); power <= ceil(log10(axis->high)); power++)
        for (size_t i = 0; i < each; i++) {
            const double tick = steps[i] * pow(10, power);
            if (tick < axis->low * 0.999999 || tick > axis->high * 1.000001)
                continue;
            count++;
            if (axis->tick_count < THAW_AXIS_TICKS)
                axis->ticks[axis->tick_count++] = tick;
        }
    return count;
}

thaw_axis thaw_axis_logarithmic(double low, double high, double begin, double end)
{
    enum { ENOUGH = 3, MOST = 6 };
    const bool usable = isfinite(low) && isfinite(high) && low > 0 && high >= low;
    thaw_axis axis = { .begin = begin, .end = end, .logarithmic = true };
    low = within(low);
    high = within(high);
    axis.low = usable ? low / 1.25 : 1;
    axis.high = usable ? high * 1.25 : 10;
    for (size_t each = 1; each <= 3 && axis.tick_count < ENOUGH; each++) {
        const size_t count = mark_powers(&axis, each);
        if (count > MOST && each > 1) {
            mark_powers(&axis, each - 1);
            break;
        }
    }
    /* If no round number is in range: both ends. */
    if (usable && axis.tick_count < 2) {
        axis.ticks[0] = low;
        axis.ticks[1] = high;
        axis.tick_count = high > low * 1.01 ? 2 : 1;
    }
    return axis;
}

double thaw_axis_place(const thaw_axis *axis, double value)
{
    const double low = axis->logarithmic ? log(axis->low) : axis->low;
    const double high = axis->logarithmic ? log(axis->high) : axis->high;
    const double at = axis->logarithmic ? log(value) : value;
    const double share = (at - low) / (high - low);
    return axis->begin + (axis->end - axis->begin) * (share > 0 ? share < 1 ? share : 1 : 0);
}
