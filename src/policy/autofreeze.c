/* AutoFreeze: Liu, Agarwal and Venkataraman 2021, "AutoFreeze: Automatically Freezing Model Blocks to Accelerate
   Fine-tuning", arXiv 2102.01386.

   With D_T of a block, what the updates of interval T have added up to, a block changes by

       eta = | |D_(T-1)| - |D_T| | / |D_(T-1)|

   At the end of an interval, blocks freeze from the front, as long as their eta is not above the N-th percentile of those
   that train. The paper adds up gradients; here it is the steps that the optimizer has made of them, which for SGD are the
   same but for a factor. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <thaw/policy_module.h>

enum { PERCENTILE, EVERY };

static const thaw_hyperparameter settings[] = {
    { "percentile", 50, 0, 100 }, { "every", 0, 0, 1e9 }, /* steps of an interval; 0: an epoch */
};

/* The state: |D_(T-1)| of each block, and behind them its eta, or below 0 for none. */
static double *before_of(const thaw_policy_view *view)
{
    return view->state;
}

static double *changes_of(const thaw_policy_view *view)
{
    return view->state + view->block_count;
}

/* And room to sort them. */
static double *sorted_of(const thaw_policy_view *view)
{
    return view->state + 2 * view->block_count;
}

static unsigned watches(const double *values)
{
    (void)values;
    return THAW_WATCH_UPDATES;
}

static size_t interval(const double *values)
{
    return (size_t)values[EVERY];
}

static size_t state_count(const double *values, size_t blocks)
{
    (void)values;
    return 3 * blocks;
}

static int by_size(const void *left, const void *right)
{
    const double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* By linear interpolation, as numpy.percentile. */
static double percentile_of(double *values, size_t count, double percent)
{
    qsort(values, count, sizeof *values, by_size);
    const double place = percent / 100 * (double)(count - 1);
    const size_t below = (size_t)place, above = below + 1 < count ? below + 1 : below;
    return values[below] + (place - (double)below) * (values[above] - values[below]);
}

/* Returns how many blocks have one. */
static size_t find_changes(const thaw_policy_view *view)
{
    double *before = before_of(view), *changes = changes_of(view), *sorted = sorted_of(view);
    size_t count = 0;
    for (size_t b = 0; b < view->block_count; b++) {
        const double now = view->blocks[b].update_norm;
        const bool known = view->blocks[b].trains && before[b] > 0 && isfinite(now);
        changes[b] = known ? fabs(before[b] - now) / before[b] : -1;
        if (known)
            sorted[count++] = changes[b];
        before[b] = view->blocks[b].trains && isfinite(now) ? now : 0;
    }
    return count;
}

static void decide(const thaw_policy_view *view, thaw_policy_actions *actions)
{
    const size_t count = find_changes(view), first = thaw_policy_frozen_below(view);
    const double *changes = changes_of(view);
    if (count == 0)
        return;
    const double threshold = percentile_of(sorted_of(view), count, view->settings[PERCENTILE]);
    size_t past = first;
    while (past + 1 < view->block_count &&
           (view->blocks[past].trains ? changes[past] >= 0 && changes[past] <= threshold : view->blocks[past].fixed))
        past++;
    thaw_policy_action *action = past > first ? thaw_policy_act_on(actions, THAW_POLICY_FREEZE, first, past - 1) : NULL;
    if (action)
        snprintf(action->reason, sizeof action->reason,
                 "their updates have changed by no more than %.2g %%, the %g. percentile", 100 * threshold,
                 view->settings[PERCENTILE]);
}

const thaw_policy_module thaw_policy_autofreeze = {
    THAW_POLICY_MODULE_HEAD,
    .name = "autofreeze",
    .description = "AutoFreeze: freezes from below while the norms of updates change little (arXiv 2102.01386)",
    .settings = settings,
    .setting_count = sizeof settings / sizeof settings[0],
    .watches = watches,
    .interval = interval,
    .state_count = state_count,
    .decide = decide,
};
