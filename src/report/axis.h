/* Chart axes: the position of a value, and which values are labelled. */
#ifndef THAW_REPORT_AXIS_H
#define THAW_REPORT_AXIS_H

#include <stdbool.h>
#include <stddef.h>

enum { THAW_AXIS_TICKS = 16 };

typedef struct thaw_axis {
    double low, high;  /* values at its ends */
    double begin, end; /* positions of the ends */
    bool logarithmic;
    int decimals; /* enough to distinguish the ticks of a linear axis */
    double ticks[THAW_AXIS_TICKS];
    size_t tick_count;
} thaw_axis;

/* An axis that contains both values and ends at round numbers, with at most `most` steps. Values that are not finite
   or all equal give an axis around 0 or around that value. */
thaw_axis thaw_axis_linear(double low, double high, double begin, double end, size_t most);

/* The same with a logarithmic scale and ticks at 1, 2 and 5 times powers of ten; both values must be above 0. */
thaw_axis thaw_axis_logarithmic(double low, double high, double begin, double end);

/* The position of a value. A value beyond an end is placed at the end. */
double thaw_axis_place(const thaw_axis *axis, double value);

#endif
