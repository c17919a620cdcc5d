/* The formulas of the policy `auto` on planted views, beside plain ones. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "policy/planted.h"

enum { BLOCKS = 7, INTERVALS = 10 };

typedef struct history {
    double gradient[INTERVALS + 1][BLOCKS], update[INTERVALS + 1][BLOCKS];
    double left[INTERVALS + 1][BLOCKS];
} history;

static history plant(uint32_t seed)
{
    history made;
    for (uint32_t t = 0; t <= INTERVALS; t++)
        for (uint32_t b = 0; b < BLOCKS; b++) {
            made.gradient[t][b] = 1 + planted_number(seed, 1000 + t * BLOCKS + b);
            made.update[t][b] = (0.02 + 0.1 * planted_number(seed, t * BLOCKS + b)) * (1 + b);
            made.left[t][b] = 100.0 / (1 + t) / (1 + b * (0.5 + planted_number(seed, 5000 + b)));
        }
    return made;
}

/* S of a block after interval t, as the weighted sum of all that it has learned. */
static double smoothed(const history *seen, size_t t, size_t b, double keeping)
{
    double sum = pow(keeping, (double)(t - 1)) * seen->gradient[1][b] * seen->update[1][b];
    for (size_t k = 2; k <= t; k++)
        sum += (1 - keeping) * pow(keeping, (double)(t - k)) * seen->gradient[k][b] * seen->update[k][b];
    return sum;
}

static size_t expect(const history *seen, size_t t, size_t frozen, double exchange, double moving, double keeping)
{
    double best = 0, all = 0;
    size_t cut = frozen;
    for (size_t b = frozen; b < BLOCKS; b++)
        all += smoothed(seen, t, b, keeping);
    for (size_t k = frozen + 1; k < BLOCKS; k++) {
        double lost = 0;
        bool moves = false;
        for (size_t b = frozen; b < k; b++) {
            lost += smoothed(seen, t, b, keeping) / all;
            moves = moves || seen->update[t][b] / 2 > moving;
        }
        const double saved = (seen->left[t][frozen] - seen->left[t][k]) / seen->left[t][frozen];
        if (!moves && saved - lost / exchange > best) {
            best = saved - lost / exchange;
            cut = k;
        }
    }
    return cut;
}

static size_t follow(uint32_t seed, double exchange, double moving, double keeping)
{
    char description[128];
    snprintf(description, sizeof description, "auto:exchange=%g,moving=%g,smoothing=%g", exchange, moving, keeping);
    const history seen = plant(seed);
    planted run = planted_open(description, BLOCKS);
    size_t frozen = 0;
    run.view.test_accuracy = run.view.test_loss = NAN;
    planted_decide(&run, 0);
    run.priced = true;
    for (size_t t = 1; t <= INTERVALS; t++) {
        for (size_t b = 0; b < BLOCKS; b++) {
            run.blocks[b].weight_norm = 2;
            run.blocks[b].gradient_norm = run.blocks[b].trains ? seen.gradient[t][b] : (double)NAN;
            run.blocks[b].update_norm = run.blocks[b].trains ? seen.update[t][b] : 0;
            run.prices[b].flops_left = seen.left[t][b];
            run.prices[b].seconds_left = NAN;
        }
        planted_decide(&run, t);
        frozen = expect(&seen, t, frozen, exchange, moving, keeping);
        cr_assert_eq(thaw_policy_frozen_below(&run.view), frozen, "interval %zu: %zu frozen, expected %zu", t,
                     thaw_policy_frozen_below(&run.view), frozen);
    }
    planted_close(&run);
    return frozen;
}

Test(auto_policy, freezes_what_no_longer_pays)
{
    size_t frozen = 0;
    for (uint32_t seed = 1; seed <= 25; seed++) {
        frozen += follow(seed, 0.25, 1, 0.5);
        frozen += follow(seed, 2, 0.2, 0.5);
        frozen += follow(seed, 0.5, 0.1, 0.9);
        frozen += follow(seed, 0.05, 1, 0);
    }
    cr_assert_gt(frozen, 25U);
}

/* A run in which everything would freeze at once but for its test. */
static planted open_eager(const char *description)
{
    planted run = planted_open(description, 4);
    run.priced = true;
    run.view.test_accuracy = run.view.test_loss = NAN;
    for (size_t b = 0; b < 4; b++) {
        run.blocks[b].weight_norm = 1;
        run.blocks[b].gradient_norm = 1;
        run.blocks[b].update_norm = b < 3 ? 1e-6 : 1;
        run.prices[b].flops_left = run.prices[b].seconds_left = 4 - (double)b;
    }
    return run;
}

static void see(planted *run, size_t step, double accuracy, double loss, const char *expected)
{
    char trains[PLANTED_MOST + 1];
    run->view.test_accuracy = accuracy;
    run->view.test_loss = loss;
    planted_decide(run, step);
    cr_assert_str_eq(planted_trains(run, trains), expected, "step %zu: %s, expected %s", step, trains, expected);
}

Test(auto_policy, thaws_after_a_drop_of_the_accuracy_and_waits_longer_each_time)
{
    planted run = open_eager("auto:tolerance=0.5%");
    see(&run, 0, (double)NAN, (double)NAN, "TTTT");
    see(&run, 1, 0.9, 1, "---T");
    see(&run, 2, 0.896, 1, "---T"); /* within the tolerance */
    see(&run, 3, 0.894, 1, "TTTT");
    cr_assert_not_null(strstr(run.actions.action[0].reason, "0.8940"));
    see(&run, 4, 0.9, 1, "TTTT"); /* waits once */
    see(&run, 5, 0.9, 1, "---T");
    see(&run, 6, 0.8, 1, "TTTT");
    see(&run, 7, 0.9, 1, "TTTT"); /* twice */
    see(&run, 8, 0.9, 1, "TTTT");
    see(&run, 9, 0.9, 1, "---T");
    planted_close(&run);
}

Test(auto_policy, takes_the_loss_where_there_is_no_accuracy)
{
    planted run = open_eager("auto:tolerance=0.1");
    see(&run, 0, (double)NAN, (double)NAN, "TTTT");
    see(&run, 1, (double)NAN, 2, "---T");
    see(&run, 2, (double)NAN, 2.19, "---T");
    see(&run, 3, (double)NAN, 2.21, "TTTT");
    planted_close(&run);
}

Test(auto_policy, thaws_what_froze_last_first)
{
    planted run = open_eager("auto");
    run.blocks[2].update_norm = 1; /* moves */
    see(&run, 0, (double)NAN, (double)NAN, "TTTT");
    see(&run, 1, 0.9, 1, "--TT");
    run.blocks[2].update_norm = 1e-6;
    see(&run, 2, 0.9, 1, "--TT"); /* what it has learned is still remembered */
    for (size_t step = 3; step < 30 && run.blocks[2].trains; step++)
        planted_decide(&run, step);
    see(&run, 30, 0.9, 1, "---T");
    see(&run, 31, 0.5, 1, "--TT");
    see(&run, 32, 0.5, 1, "TTTT");
    see(&run, 33, 0.5, 1, "TTTT");
    planted_close(&run);
}

Test(auto_policy, goes_by_seconds_if_they_are_measured)
{
    planted run = open_eager("auto:measured=1");
    for (size_t b = 0; b < 4; b++)
        run.prices[b].seconds_left = b == 2 ? 1 : 4;
    see(&run, 1, 0.9, 1, "--TT");
    cr_assert_not_null(strstr(run.actions.action[0].reason, "75 % of the time left"));
    planted_close(&run);
}
