#include <math.h>
#include <stdio.h>
#include <thaw/statistics.h>

#include "support/files.h"
#include "support/support.h"

enum { MOST = 100 };

static void read_numbers(FILE *file, double *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        cr_assert_eq(fscanf(file, "%lf", &values[i]), 1);
}

/* `expected`: mean, sd, low, high. */
static void assert_mean(thaw_mean found, size_t count, const double *expected)
{
    const double values[] = { found.mean, found.sd, found.low, found.high };
    cr_assert_eq(found.count, count);
    for (int i = 0; i < 4; i++)
        cr_assert(fabs(values[i] - expected[i]) <= 1e-12, "figure %d of %zu: %.17g, SciPy has %.17g", i, count,
                  values[i], expected[i]);
}

Test(statistics, agree_with_scipy)
{
    static double left[MOST], right[MOST];
    char path[SUPPORT_PATH_BYTES];
    FILE *golden = fopen(support_golden(path, "statistics.txt"), "r");
    cr_assert_not_null(golden);
    size_t count, cases = 0;
    for (; fscanf(golden, "%zu", &count) == 1; cases++) {
        double alone[5], paired[5];
        cr_assert_leq(count, MOST);
        read_numbers(golden, left, count);
        read_numbers(golden, right, count);
        read_numbers(golden, alone, 5);
        read_numbers(golden, paired, 5);
        assert_mean(thaw_mean_of(left, count), count, alone);
        assert_mean(thaw_paired_difference(left, right, count), count, paired);
        const double median = thaw_median_of(left, count);
        cr_assert(median == alone[4], "median %.17g, SciPy has %.17g", median, alone[4]);
    }
    cr_assert_eq(cases, 8);
    fclose(golden);
}

/* By hand: mean 2, sd 1; Student's distribution of 2 degrees has t = (2 p - 1) / sqrt(2 p (1 - p)), at p = 0.975. */
Test(statistics, agree_with_a_sheet_of_paper)
{
    const double half = 0.95 / sqrt(2 * 0.975 * 0.025) / sqrt(3);
    assert_mean(thaw_mean_of((double[]){ 1, 2, 3 }, 3), 3, (double[]){ 2, 1, 2 - half, 2 + half });
    assert_mean(thaw_paired_difference((double[]){ 5, 6, 7 }, (double[]){ 5, 6, 7 }, 3), 3, (double[]){ 0, 0, 0, 0 });
}

Test(statistics, say_nothing_without_values)
{
    const thaw_mean none = thaw_mean_of(NULL, 0), one = thaw_mean_of((double[]){ 0.5 }, 1);
    cr_assert(isnan(none.mean) && isnan(none.sd) && isnan(none.low) && isnan(none.high));
    cr_assert(one.mean == 0.5 && isnan(one.sd) && isnan(one.low) && isnan(one.high));
    cr_assert(isnan(thaw_median_of(NULL, 0)));
    cr_assert(thaw_median_of((double[]){ 4, 1, 3, 2 }, 4) == 2.5);
}

static thaw_mean interval(double low, double high)
{
    return (thaw_mean){ .count = 3, .mean = (low + high) / 2, .low = low, .high = high };
}

Test(statistics, ranks_are_ties_where_intervals_overlap)
{
    const thaw_mean means[] = { interval(1, 2), interval(5, 6), interval(4, 5.5), interval(1.9, 4.2),
                                thaw_mean_of((double[]){ 100 }, 1) };
    int ranks[5];
    thaw_rank(means, 5, ranks);
    const int expected[] = { 3, 1, 1, 2, 1 }; /* the fourth overlaps the third, and is below the second */
    for (int i = 0; i < 5; i++)
        cr_assert_eq(ranks[i], expected[i], "rank %d is %d", i, ranks[i]);
}

Test(statistics, a_front_holds_what_nothing_beats)
{
    const double gains[] = { 1, 2, 3, 3, 2.5, NAN, 3 }, costs[] = { 1, 2, 4, 3, 3.5, 0, 3 };
    const bool expected[] = { true, true, false, true, false, false, true };
    bool front[7];
    thaw_pareto_front(gains, costs, 7, front);
    for (int i = 0; i < 7; i++)
        cr_assert_eq(front[i], expected[i], "point %d", i);
}
