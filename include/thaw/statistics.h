/* Statistics of repeated runs. None of these calls allocates or can fail; all are thread-safe. */
#ifndef THAW_STATISTICS_H
#define THAW_STATISTICS_H

#include <thaw/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A mean with its 95 % interval by Student's t: mean -+ t * sd / sqrt(count), t of count - 1 degrees of freedom at
   0.975; sd divides by count - 1. Undefined figures (no values; the spread of one value) are NAN. */
typedef struct thaw_mean {
    size_t count;               /* number of values */
    double mean, sd, low, high; /* standard deviation; ends of the interval */
} thaw_mean;

/* The mean of `count` values. */
THAW_API thaw_mean thaw_mean_of(const double *values, size_t count);

/* The mean of left[i] - right[i]: compares runs that share a seed. */
THAW_API thaw_mean thaw_paired_difference(const double *left, const double *right, size_t count);

/* The middle value, or the mean of the two middle ones; NAN without values. Sorts the array. */
THAW_API double thaw_median_of(double *values, size_t count);

/* ranks[i] = 1 + the number of others whose interval lies wholly above the i-th. Equal ranks are ties: intervals
   overlap. Without an interval (one value) the rank is 1. */
THAW_API void thaw_rank(const thaw_mean *means, size_t count, int *ranks);

/* Whether each point is on the Pareto front: no other point has at least its gain at no more than its cost and is
   better in one of them. Points with a NAN are not. */
THAW_API void thaw_pareto_front(const double *gains, const double *costs, size_t count, bool *front);

#ifdef __cplusplus
}
#endif

#endif
