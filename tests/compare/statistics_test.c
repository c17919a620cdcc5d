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

/* By hand: the logarithms to base 2 are 1, 2 and 3, with standard deviation 1; t of 2 degrees of freedom has a closed form. */
Test(statistics, a_reach_is_a_geometric_mean_with_its_interval)
{
    const thaw_reach all = thaw_reach_of((double[]){ 2, 8, 4 }, (bool[]){ true, true, true }, 3);
    const double half = exp2(0.95 / sqrt(2 * 0.975 * 0.025) / sqrt(3));
    cr_assert(all.count == 3 && all.reached == 3 && fabs(all.mean - 4) < 1e-12 && all.at_least == all.mean);
    cr_assert(fabs(all.low - 4 / half) < 1e-9 && fabs(all.high - 4 * half) < 1e-9, "%g to %g", all.low, all.high);
}

Test(statistics, what_was_never_reached_has_no_mean)
{
    const thaw_reach some = thaw_reach_of((double[]){ 2, 8, 4 }, (bool[]){ true, false, true }, 3);
    const thaw_reach all = thaw_reach_of((double[]){ 2, 8, 4 }, (bool[]){ true, true, true }, 3);
    cr_assert(some.count == 3 && some.reached == 2 && isnan(some.mean));
    cr_assert(some.at_least == all.mean && some.low == all.low && isinf(some.high));
    const thaw_reach one = thaw_reach_of((double[]){ 5 }, (bool[]){ true }, 1);
    cr_assert(fabs(one.mean - 5) < 1e-12 && isnan(one.low) && isnan(one.high));
    const thaw_reach lost = thaw_reach_of((double[]){ 5, 0 }, (bool[]){ true, true }, 2);
    cr_assert(isnan(lost.mean) && isnan(lost.low));
    cr_assert_eq(thaw_reach_of(NULL, NULL, 0).count, 0);
}

static thaw_reach reach(double low, double high, size_t reached)
{
    return (thaw_reach){ .count = 3, .reached = reached, .low = low, .high = high };
}

Test(statistics, the_fastest_is_first_and_what_never_got_there_is_not_ranked)
{
    const thaw_reach reaches[] = { reach(3, 4, 3),        reach(1, 2, 3),          reach(1.5, 3.5, 3),
                                   reach(1, INFINITY, 0), reach(0.5, INFINITY, 2), reach(2.5, INFINITY, 1) };
    const int expected[] = { 2, 1, 1, 0, 1, 2 }; /* the second ends before the first and the last begin */
    int ranks[6];
    thaw_rank_reach(reaches, 6, ranks);
    for (int i = 0; i < 6; i++)
        cr_assert_eq(ranks[i], expected[i], "rank %d is %d", i, ranks[i]);
}

/* A sum over a fine grid of the profile itself. */
Test(statistics, a_score_is_the_mean_height_of_the_profile)
{
    const double ratios[] = { 1, 1.25, 3, 5 };
    const int cells = 300000;
    double sum = 0;
    for (int c = 0; c < cells; c++)
        for (int i = 0; i < 4; i++)
            sum += ratios[i] <= 1 + 3 * (c + 0.5) / cells ? 1.0 / 6 : 0; /* two of six problems were never solved */
    const double score = thaw_profile_score(ratios, 4, 6, 4);
    cr_assert(fabs(score - sum / cells) < 1e-5, "%g, %g", score, sum / cells);
    cr_assert(thaw_profile_score(NULL, 0, 6, 4) == 0 && isnan(thaw_profile_score(NULL, 0, 0, 4)));
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
