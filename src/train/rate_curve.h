/* What the curve of a range test suggests. */
#ifndef THAW_TRAIN_RATE_CURVE_H
#define THAW_TRAIN_RATE_CURVE_H

#include <thaw/rate_finder.h>

/* Both return the rate, or NAN where there is none; see thaw_rate_result. `lengths` and `before` have `count` elements. */
double thaw_rate_valley(const thaw_rate_point *points, size_t count, size_t *lengths, size_t *before);
double thaw_rate_steepest(const thaw_rate_point *points, size_t count);

#endif
