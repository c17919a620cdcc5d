/* Time, and statistics of repeated measurements. */
#ifndef THAW_BENCH_TIMING_H
#define THAW_BENCH_TIMING_H

#include <stddef.h>

/* Seconds of a monotonic clock. */
double bench_now(void);

/* Sorts `values`. */
double bench_quantile(double *values, size_t count, double share);

/* The median. Sorts `values`. */
double bench_median(double *values, size_t count);

/* The interquartile range as a share of the median. Sorts `values`. */
double bench_spread(double *values, size_t count);

#endif
