#include "support/timing.h"

#include <stdlib.h>
#include <time.h>

double bench_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static int ascending(const void *left, const void *right)
{
    const double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

double bench_quantile(double *values, size_t count, double share)
{
    qsort(values, count, sizeof *values, ascending);
    const double place = share * (double)(count - 1);
    const size_t below = (size_t)place;
    const size_t above = below + 1 < count ? below + 1 : below;
    return values[below] + (place - (double)below) * (values[above] - values[below]);
}

double bench_median(double *values, size_t count)
{
    return bench_quantile(values, count, 0.5);
}

double bench_spread(double *values, size_t count)
{
    const double median = bench_median(values, count);
    return (bench_quantile(values, count, 0.75) - bench_quantile(values, count, 0.25)) / median;
}
