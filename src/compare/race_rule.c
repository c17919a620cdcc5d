#include "compare/race_rule.h"

#include <math.h>

#include "compare/student.h"

enum { FEWEST_SEEDS = 2, SHORT_RUNGS = 3 };

/* The error of the whole race. */
static const double ERROR = 0.05;

size_t thaw_race_most_rungs(int seeds)
{
    return SHORT_RUNGS + (size_t)seeds;
}

size_t thaw_race_list_rungs(int epochs, int seeds, thaw_race_rung *rungs)
{
    size_t count = 0;
    const int first = seeds < FEWEST_SEEDS ? seeds : FEWEST_SEEDS;
    for (int part = 1 << SHORT_RUNGS; part > 1; part /= 2) {
        const int some = (epochs - 1) / part + 1;
        if (some < epochs && (count == 0 || some > rungs[count - 1].epochs))
            rungs[count++] = (thaw_race_rung){ some, first };
    }
    for (int n = first; n <= seeds; n++)
        rungs[count++] = (thaw_race_rung){ epochs, n };
    return count;
}

/* ---------------------------------------------------------------- a rung */

typedef struct rung {
    const double *figures;
    size_t contenders, seeds;
    thaw_race_loss *losses;
    double *means;
    size_t racing, leader;
    double common; /* half of the common interval */
} rung;

static bool races(const rung *now, size_t contender)
{
    return !now->losses[contender].stopped;
}

/* NAN if it diverged. */
static double mean_of(const rung *now, size_t contender)
{
    double sum = 0;
    for (size_t s = 0; s < now->seeds; s++)
        sum += now->figures[contender * now->seeds + s];
    return sum / (double)now->seeds;
}

/* Fills the means, and stops what diverged. Returns whether anything is left. */
static bool begin(rung *now)
{
    bool any = false;
    for (size_t c = 0; c < now->contenders; c++) {
        now->means[c] = races(now, c) ? mean_of(now, c) : (double)NAN;
        any = any || !isnan(now->means[c]);
    }
    for (size_t c = 0; c < now->contenders && any; c++) {
        if (!races(now, c))
            continue;
        if (isnan(now->means[c]))
            now->losses[c] = (thaw_race_loss){ .stopped = true, .diverged = true, .difference = thaw_mean_of(NULL, 0) };
        else if (now->racing++ == 0 || now->means[c] > now->means[now->leader])
            now->leader = c;
    }
    return any;
}

/* The variance of figures without the means of contenders and of seeds. */
static double common_variance(const rung *now)
{
    double squares = 0, all = 0;
    for (size_t c = 0; c < now->contenders; c++)
        all += races(now, c) ? now->means[c] / (double)now->racing : 0;
    for (size_t s = 0; s < now->seeds; s++) {
        double seed = 0;
        for (size_t c = 0; c < now->contenders; c++)
            seed += races(now, c) ? now->figures[c * now->seeds + s] / (double)now->racing : 0;
        for (size_t c = 0; c < now->contenders; c++) {
            const double rest =
                races(now, c) ? now->figures[c * now->seeds + s] - now->means[c] - seed + all : (double)0;
            squares += rest * rest;
        }
    }
    return squares / ((double)(now->racing - 1) * (double)(now->seeds - 1));
}

static size_t place_of(const rung *now, size_t contender)
{
    size_t better = 0;
    for (size_t c = 0; c < now->contenders; c++)
        better += races(now, c) && now->means[c] > now->means[contender];
    return better;
}

/* The highest mean of those that as many are better than as the better half has; -INFINITY: there are none. */
static double best_of_worse_half(const rung *now)
{
    const size_t half = (now->racing + 1) / 2;
    double best = -INFINITY;
    for (size_t c = 0; c < now->contenders; c++)
        if (races(now, c) && place_of(now, c) >= half)
            best = fmax(best, now->means[c]);
    return best;
}

static thaw_race_loss compare(const rung *now, size_t contender, double *differences)
{
    for (size_t s = 0; s < now->seeds; s++)
        differences[s] = now->figures[contender * now->seeds + s] - now->figures[now->leader * now->seeds + s];
    thaw_mean difference = thaw_mean_of(differences, now->seeds);
    const double half = fmax(difference.high - difference.mean, now->common);
    difference.low = difference.mean - half;
    difference.high = difference.mean + half;
    return (thaw_race_loss){ .stopped = difference.high < 0, .leader = now->leader, .difference = difference };
}

void thaw_race_judge(const double *figures, size_t contenders, size_t seeds, size_t rungs, thaw_race_loss *losses,
                     double *means, double *differences)
{
    rung now = { .figures = figures, .contenders = contenders, .seeds = seeds, .losses = losses, .means = means };
    if (!begin(&now) || now.racing < 2 || seeds < FEWEST_SEEDS)
        return;
    const double freedom = (double)(now.racing - 1) * (double)(seeds - 1);
    const double pairs = (double)now.racing * (double)(now.racing - 1) / 2;
    const double error = 2 * ERROR / ((double)rungs * pairs);
    now.common = thaw_student_quantile(freedom, error) * sqrt(2 * common_variance(&now) / (double)seeds);
    const double threshold = best_of_worse_half(&now);
    for (size_t c = 0; c < contenders; c++) {
        if (!races(&now, c) || !(means[c] <= threshold))
            continue;
        const thaw_race_loss loss = compare(&now, c, differences);
        if (loss.stopped)
            losses[c] = loss;
    }
}
