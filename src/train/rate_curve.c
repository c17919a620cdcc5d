#include "train/rate_curve.h"

#include <math.h>

enum { FEWEST = 5 };

double thaw_rate_valley(const thaw_rate_point *points, size_t count, size_t *lengths, size_t *before)
{
    size_t last = 0;
    if (count < FEWEST)
        return NAN;
    for (size_t i = 0; i < count; i++) {
        lengths[i] = 1;
        before[i] = i;
        for (size_t k = 0; k < i; k++)
            if (points[i].smoothed < points[k].smoothed && lengths[k] + 1 >= lengths[i]) {
                lengths[i] = lengths[k] + 1;
                before[i] = k;
            }
        last = lengths[i] > lengths[last] ? i : last;
    }
    if (lengths[last] < 2)
        return NAN;
    size_t first = last;
    while (before[first] != first)
        first = before[first];
    return points[(first + last) / 2].rate;
}

double thaw_rate_steepest(const thaw_rate_point *points, size_t count)
{
    double best = 0, rate = NAN;
    if (count < FEWEST)
        return NAN;
    const size_t skipped = count / 10 > 1 ? count / 10 : 1;
    for (size_t i = skipped; i + 1 < count; i++) {
        const double slope =
            (points[i + 1].smoothed - points[i - 1].smoothed) / (log(points[i + 1].rate) - log(points[i - 1].rate));
        if (slope < best) {
            best = slope;
            rate = points[i].rate;
        }
    }
    return rate;
}
