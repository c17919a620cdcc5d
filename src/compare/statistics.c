#include <math.h>
#include <stdlib.h>
#include <thaw/statistics.h>

#include "compare/student.h"

/* `squares`: the sum of squared deviations from the mean. */
static thaw_mean describe(size_t count, double mean, double squares)
{
    if (count < 2)
        return (thaw_mean){ count, count ? mean : NAN, NAN, NAN, NAN };
    const double freedom = (double)count - 1, sd = sqrt(squares / freedom);
    const double half = thaw_student_quantile(freedom, 0.05) * sd / sqrt((double)count);
    return (thaw_mean){ count, mean, sd, mean - half, mean + half };
}

thaw_mean thaw_mean_of(const double *values, size_t count)
{
    double mean = 0, squares = 0;
    for (size_t i = 0; i < count; i++)
        mean += values[i];
    mean /= (double)count;
    for (size_t i = 0; i < count; i++)
        squares += (values[i] - mean) * (values[i] - mean);
    return describe(count, mean, squares);
}

thaw_mean thaw_paired_difference(const double *left, const double *right, size_t count)
{
    double mean = 0, squares = 0;
    for (size_t i = 0; i < count; i++)
        mean += left[i] - right[i];
    mean /= (double)count;
    for (size_t i = 0; i < count; i++)
        squares += (left[i] - right[i] - mean) * (left[i] - right[i] - mean);
    return describe(count, mean, squares);
}

static int compare(const void *left, const void *right)
{
    const double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

double thaw_median_of(double *values, size_t count)
{
    if (count == 0)
        return NAN;
    qsort(values, count, sizeof *values, compare);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

void thaw_rank(const thaw_mean *means, size_t count, int *ranks)
{
    for (size_t i = 0; i < count; i++) {
        ranks[i] = 1;
        for (size_t k = 0; k < count; k++)
            ranks[i] += means[k].low > means[i].high;
    }
}

thaw_reach thaw_reach_of(const double *times, const bool *reached, size_t count)
{
    thaw_reach made = { .count = count, .mean = NAN, .at_least = NAN, .low = NAN, .high = NAN };
    double mean = 0, squares = 0;
    for (size_t i = 0; i < count; i++) {
        made.reached += reached[i];
        mean += times[i] > 0 ? log(times[i]) : (double)NAN;
    }
    mean /= (double)count;
    for (size_t i = 0; i < count; i++)
        squares += (log(times[i]) - mean) * (log(times[i]) - mean);
    const thaw_mean logarithm = describe(count, mean, squares);
    made.at_least = exp(logarithm.mean);
    made.low = exp(logarithm.low);
    made.high = made.reached == count ? exp(logarithm.high) : count > 1 ? (double)INFINITY : (double)NAN;
    made.mean = made.reached == count ? made.at_least : (double)NAN;
    return made;
}

void thaw_rank_reach(const thaw_reach *reaches, size_t count, int *ranks)
{
    for (size_t i = 0; i < count; i++) {
        ranks[i] = reaches[i].reached > 0;
        for (size_t k = 0; k < count && ranks[i]; k++)
            ranks[i] += reaches[k].high < reaches[i].low;
    }
}

double thaw_profile_score(const double *ratios, size_t solved, size_t problems, double most)
{
    double area = 0;
    for (size_t i = 0; i < solved; i++)
        area += ratios[i] < most ? most - ratios[i] : 0;
    return area / ((most - 1) * (double)problems);
}

void thaw_pareto_front(const double *gains, const double *costs, size_t count, bool *front)
{
    for (size_t i = 0; i < count; i++) {
        front[i] = !isnan(gains[i]) && !isnan(costs[i]);
        for (size_t k = 0; k < count && front[i]; k++)
            front[i] = !(gains[k] >= gains[i] && costs[k] <= costs[i] && (gains[k] > gains[i] || costs[k] < costs[i]));
    }
}
