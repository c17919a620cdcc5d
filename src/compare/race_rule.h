/* The rule of a race: which contenders go on after a rung. It knows figures only.

   Successive halving (Jamieson and Talwalkar, arXiv 1502.07943) with a test: a rung trains all contenders that are left
   for some epochs from some seeds, and then stops those that are both in the worse half by their mean, and beaten. A
   contender is beaten if its difference to the leader, paired by seed, lies below zero by two intervals at once:
   1. its own: 95 % by Student's t of the differences, so that one with a large variance is not stopped by chance;
   2. a common one: with the variance of all contenders that are left, without their means and those of the seeds, at an
      error of 5 % in the whole race, divided by its rungs and by the pairs of contenders that are left (Bonferroni):
      where all are alike, nothing is stopped in 19 of 20 races.
   A contender that diverged is stopped, unless all did: it would have no rank. Ties go on to the end. */
#ifndef THAW_COMPARE_RACE_RULE_H
#define THAW_COMPARE_RACE_RULE_H

#include <thaw/statistics.h>

typedef struct thaw_race_rung {
    int epochs, seeds; /* of each contender */
} thaw_race_rung;

/* The most rungs for a number of seeds: three of fewer epochs, then one for each number of seeds. */
size_t thaw_race_most_rungs(int seeds);

/* An eighth, a quarter and half of the epochs, rounded up, from two seeds; then all epochs from two seeds, from three,
   and so on to all. Returns the number of rungs. */
size_t thaw_race_list_rungs(int epochs, int seeds, thaw_race_rung *rungs);

/* Why a contender was stopped. */
typedef struct thaw_race_loss {
    bool stopped, diverged;
    size_t leader;        /* the contender that it was compared with */
    thaw_mean difference; /* to the leader, with the wider of both intervals; count 0 if it diverged */
} thaw_race_loss;

/* Judges a rung. figures[c * seeds + s], the higher the better, are those of contender c from seed s; NAN: it diverged.
   Contenders whose loss is `stopped` already take no part. `rungs` counts all that judge. `means` has room for each
   contender, and `differences` for each seed. */
void thaw_race_judge(const double *figures, size_t contenders, size_t seeds, size_t rungs, thaw_race_loss *losses,
                     double *means, double *differences);

#endif
