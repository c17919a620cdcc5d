/* The rule of a race on planted figures, whose order is known: how often it stops the best, and what it saves. */
#include "compare/race_rule.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "compare/student.h"

enum { CONTENDERS = 24, SEEDS = 5, EPOCHS = 16, RACES = 400, MOST_RUNGS = 16 };

/* ---------------------------------------------------------------- planted figures */

/* SplitMix64. */
static uint64_t state;

static double uniform(void)
{
    uint64_t z = state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return ((double)((z ^ (z >> 31)) >> 11) + 0.5) * 0x1p-53;
}

/* Box and Muller. */
static double normal(void)
{
    const double radius = sqrt(-2 * log(uniform()));
    return radius * cos(2 * acos(-1.0) * uniform());
}

typedef struct planted {
    double quality[CONTENDERS], sd[CONTENDERS]; /* at the end of training; of the noise */
    double crossing;                            /* how much the first contender lags behind at the beginning */
} planted;

/* Figures rise to a contender's quality; seeds shift all of them. */
static void plant(const planted *truth, const thaw_race_rung *rung, double *figures)
{
    for (int s = 0; s < rung->seeds; s++) {
        const double shift = 0.02 * normal();
        for (int c = 0; c < CONTENDERS; c++) {
            const double lag = c == 0 ? truth->crossing * (1 - (double)rung->epochs / EPOCHS) : 0;
            const double curve = truth->quality[c] * (1 - exp(-4.0 * rung->epochs / EPOCHS));
            figures[c * rung->seeds + s] = curve + shift - lag + truth->sd[c] * normal();
        }
    }
}

typedef struct outcome {
    bool stopped[CONTENDERS];
    double epochs; /* trained, of those of all runs */
} outcome;

static outcome race(const planted *truth)
{
    thaw_race_rung rungs[MOST_RUNGS];
    thaw_race_loss losses[CONTENDERS] = { 0 };
    double figures[CONTENDERS * SEEDS], means[CONTENDERS], differences[SEEDS];
    outcome made = { 0 };
    cr_assert_leq(thaw_race_most_rungs(SEEDS), (size_t)MOST_RUNGS);
    const size_t count = thaw_race_list_rungs(EPOCHS, SEEDS, rungs);
    for (size_t i = 0; i < count; i++) {
        const bool longer = i == 0 || rungs[i].epochs > rungs[i - 1].epochs;
        for (int c = 0; c < CONTENDERS; c++)
            made.epochs += losses[c].stopped ? 0 : (longer ? rungs[i].seeds : 1) * rungs[i].epochs;
        plant(truth, &rungs[i], figures);
        if (i + 1 < count)
            thaw_race_judge(figures, CONTENDERS, (size_t)rungs[i].seeds, count - 1, losses, means, differences);
    }
    for (int c = 0; c < CONTENDERS; c++)
        made.stopped[c] = losses[c].stopped;
    made.epochs /= CONTENDERS * SEEDS * EPOCHS;
    return made;
}

typedef struct score {
    double best_lost; /* the share of races in which the first contender was stopped */
    double stopped;   /* the share of all contenders that were */
    double any;       /* the share of races in which anything was */
    double epochs;
} score;

static score race_often(const planted *truth, uint64_t seed)
{
    score made = { 0 };
    state = seed;
    for (int i = 0; i < RACES; i++) {
        const outcome one = race(truth);
        double stopped = 0;
        for (int c = 0; c < CONTENDERS; c++)
            stopped += one.stopped[c];
        made.best_lost += one.stopped[0] / (double)RACES;
        made.stopped += stopped / CONTENDERS / RACES;
        made.any += (stopped > 0) / (double)RACES;
        made.epochs += one.epochs / RACES;
    }
    return made;
}

/* Contender i is `step` behind the one before it. */
static planted in_order(double step, double sd)
{
    planted truth = { 0 };
    for (int c = 0; c < CONTENDERS; c++) {
        truth.quality[c] = 0.9 - c * step;
        truth.sd[c] = sd;
    }
    return truth;
}

/* ---------------------------------------------------------------- how often it is wrong */

Test(race_rule, seldom_stops_the_best_of_a_known_order)
{
    static const double steps[] = { 0.001, 0.005, 0.02 };
    for (int i = 0; i < 3; i++) {
        const planted truth = in_order(steps[i], 0.01);
        const score made = race_often(&truth, 11);
        cr_assert_leq(made.best_lost, 0.05, "steps of %g: in %g of races", steps[i], made.best_lost);
    }
}

Test(race_rule, seldom_stops_the_best_of_many_that_are_close)
{
    planted truth = in_order(0, 0.01);
    truth.quality[0] += 0.002;
    const score made = race_often(&truth, 12);
    cr_assert_leq(made.best_lost, 0.05, "in %g of races", made.best_lost);
}

Test(race_rule, lets_ties_go_on)
{
    const planted truth = in_order(0, 0.01);
    const score made = race_often(&truth, 13);
    cr_assert_leq(made.any, 0.05, "in %g of races", made.any);
    cr_assert_leq(made.stopped, 0.01, "%g of contenders", made.stopped);
}

/* The intervals of most are small, but that of the best is not. */
Test(race_rule, spares_the_best_if_its_runs_vary_most)
{
    planted truth = in_order(0.002, 0.002);
    truth.sd[0] = 0.03;
    truth.quality[0] += 0.01;
    const score made = race_often(&truth, 14);
    cr_assert_leq(made.best_lost, 0.05, "in %g of races", made.best_lost);
}

/* The best is behind the others at first, but within the better half by the first rung. */
Test(race_rule, spares_a_late_winner_in_the_better_half)
{
    planted truth = in_order(0.02, 0.005);
    truth.crossing = 0.06;
    const score made = race_often(&truth, 15);
    cr_assert_leq(made.best_lost, 0.05, "in %g of races", made.best_lost);
}

/* ---------------------------------------------------------------- what it saves */

Test(race_rule, stops_what_is_far_behind)
{
    planted truth = in_order(0, 0.005);
    for (int c = 3; c < CONTENDERS; c++)
        truth.quality[c] = 0.5 - 0.01 * c;
    const score made = race_often(&truth, 16);
    cr_assert_leq(made.best_lost, 0.05);
    cr_assert_geq(made.stopped, 0.95 * (CONTENDERS - 3) / CONTENDERS, "%g", made.stopped);
    cr_assert_leq(made.epochs, 0.35, "%g of the epochs", made.epochs);
}

Test(race_rule, stops_at_most_half_and_what_diverged)
{
    double figures[8 * 2], means[8], differences[2];
    thaw_race_loss losses[8] = { 0 };
    for (int c = 0; c < 8; c++)
        for (int s = 0; s < 2; s++)
            figures[2 * c + s] = c == 7 && s == 1 ? (double)NAN : c == 0 ? 0.9 + 1e-4 * s : 0.1 + 0.01 * c + 1e-4 * s;
    thaw_race_judge(figures, 8, 2, 4, losses, means, differences);
    size_t stopped = 0;
    for (int c = 0; c < 7; c++)
        stopped += losses[c].stopped;
    cr_assert_eq(stopped, 3, "%zu", stopped); /* of seven */
    cr_assert(losses[7].stopped && losses[7].diverged && losses[7].difference.count == 0);
    cr_assert(losses[1].stopped && !losses[1].diverged && losses[1].leader == 0 && losses[1].difference.high < 0);
    cr_assert(fabs(losses[1].difference.mean + 0.79) < 1e-12 && losses[1].difference.low < losses[1].difference.mean);
    cr_assert(!losses[0].stopped && !losses[6].stopped);
}

Test(race_rule, spares_all_if_all_diverged)
{
    double figures[] = { NAN, NAN, NAN, NAN }, means[2], differences[2];
    thaw_race_loss losses[2] = { 0 };
    thaw_race_judge(figures, 2, 2, 4, losses, means, differences);
    cr_assert(!losses[0].stopped && !losses[1].stopped);
}

Test(race_rule, has_rungs_of_more_and_more_epochs_and_seeds)
{
    static const thaw_race_rung expected[] = { { 2, 2 }, { 3, 2 }, { 5, 2 }, { 10, 2 }, { 10, 3 }, { 10, 4 } };
    thaw_race_rung rungs[MOST_RUNGS];
    cr_assert_eq(thaw_race_list_rungs(10, 4, rungs), 6);
    cr_assert_eq(memcmp(rungs, expected, sizeof expected), 0);
    cr_assert_eq(thaw_race_list_rungs(1, 3, rungs), 2);
    cr_assert(rungs[0].epochs == 1 && rungs[0].seeds == 2 && rungs[1].seeds == 3);
    cr_assert_eq(thaw_race_list_rungs(2, 2, rungs), 2);
    cr_assert(rungs[0].epochs == 1 && rungs[1].epochs == 2);
}

/* Closed forms for one and two degrees of freedom, and the normal distribution for many. */
Test(race_rule, has_quantiles_far_out)
{
    const double pi = acos(-1.0), outside = 1e-4;
    cr_assert(fabs(thaw_student_quantile(1, outside) * tan(pi * outside / 2) - 1) < 1e-9);
    const double p = 1 - outside / 2, two = (2 * p - 1) / sqrt(2 * p * (1 - p));
    cr_assert(fabs(thaw_student_quantile(2, outside) / two - 1) < 1e-9);
    cr_assert(fabs(erfc(thaw_student_quantile(1e9, outside) / sqrt(2)) / outside - 1) < 1e-4);
}
