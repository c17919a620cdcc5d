/* Axes of charts: where a value lies, and which values are written beside the axis. */
#ifndef THAW_REPORT_AXIS_H
#define THAW_REPORT_AXIS_H

#include <stdbool.h>
#include <stddef.h>

enum { THAW_AXIS_TICKS = 16 };

typedef struct thaw_axis {
    double low, high;  /* values at its ends */
    double begin, end; /* places of the ends */
    bool logarithmic;
    int decimals; /* that tell the ticks of a linear axis apart */
    double ticks[THAW_AXIS_TICKS];
    size_t tick_count;
} thaw_axis;

/* An axis that holds [low, high] and ends at round numbers, at most `most` steps apart. Values that are not finite, or
   are the same, give an axis about 0 or about that value. */
thaw_axis thaw_axis_linear(double low, double high, double begin, double end, size_t most);

/* Likewise of powers of ten and their double and fivefold; both values are above 0. */
thaw_axis thaw_axis_logarithmic(double low, double high, double begin, double end);

/* The place of a value; one beyond an end is put there. */
double thaw_axis_place(const thaw_axis *axis, double value);

#endif
