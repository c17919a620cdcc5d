#include <math.h>
#include <stdlib.h>
#include <thaw/statistics.h>

/* The continued fraction of the incomplete beta function by Lentz' method (Abramowitz & Stegun 26.5.8). */
static double beta_fraction(double a, double b, double x)
{
    const double tiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1);
    d = 1 / (fabs(d) < tiny ? tiny : d);
    double value = d;
    for (int m = 1; m < 500; m++) {
        const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        const double terms[] = { even, odd };
        double change = 1;
        for (int i = 0; i < 2; i++) {
            d = 1 + terms[i] * d;
            d = 1 / (fabs(d) < tiny ? tiny : d);
            c = 1 + terms[i] / c;
            c = fabs(c) < tiny ? tiny : c;
            change = c * d;
            value *= change;
        }
        if (fabs(change - 1) < 1e-15)
            break;
    }
    return value;
}

/* lgamma without its global sign. */
static double log_gamma(double x)
{
    int sign;
    return lgamma_r(x, &sign);
}

static double incomplete_beta(double a, double b, double x)
{
    const double front = exp(log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * log(x) + b * log1p(-x));
    if (x < (a + 1) / (a + b + 2))
        return front * beta_fraction(a, b, x) / a;
    return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

/* The t whose absolute value a variable of Student's distribution exceeds with probability 0.05 (Abramowitz & Stegun
   26.7.1), by bisection. */
static double student_quantile(double freedom)
{
    double low = 1.9, high = 13;
    for (int i = 0; i < 100; i++) {
        const double t = (low + high) / 2;
        const double outside = incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t * t));
        *(outside > 0.05 ? &low : &high) = t;
    }
    return (low + high) / 2;
}

/* `squares`: the sum of squared deviations from the mean. */
static thaw_mean describe(size_t count, double mean, double squares)
{
    if (count < 2)
        return (thaw_mean){ count, count ? mean : NAN, NAN, NAN, NAN };
    const double freedom = (double)count - 1, sd = sqrt(squares / freedom);
    const double half = student_quantile(freedom) * sd / sqrt((double)count);
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
