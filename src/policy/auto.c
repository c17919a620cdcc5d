/* Freezes from below what no longer pays for its price.

   What block b learns between two decisions is L_b = |g_b| |w_b - w'_b|, with the root mean square of its gradient's norm
   and the way of its weights w' -> w: the most by which, to first order, these steps can have lowered the loss (Cauchy and
   Schwarz). It is smoothed, S_b = smoothing S_b + (1 - smoothing) L_b. Freezing all blocks below k then gives up the share

       learned(k) = sum of S_b over training b < k / sum of S_b over training b

   of what is learned, and saves the share

       saved(k) = 1 - left(k) / left(now)

   of what is left of the run to compute, where epochs that can start at a feature cache count as such. Of all k for which
   learned(k) <= exchange saved(k), and below which no block still moves by more than `moving` of its weights' norm, it
   takes the one with the largest saved(k) - learned(k) / exchange.

   If the test accuracy is below its best by more than `tolerance`, or the test loss above by more than this share of it,
   what was frozen last thaws, and nothing freezes for 1, 2, 4, ... decisions. */
#include <math.h>
#include <stdio.h>
#include <thaw/policy_module.h>

enum { TOLERANCE, EXCHANGE, MOVING, SMOOTHING, EVERY, MEASURED };

static const thaw_hyperparameter settings[] = {
    { "tolerance", 0.005, 0, 1 },    /* points of accuracy, or share of the loss */
    { "exchange", 0.25, 0, 1000 },   /* learning given up for work saved */
    { "moving", 0.1, 0, 1e9 },       /* a block that moves more than this share of its norm does not freeze */
    { "smoothing", 0.5, 0, 0.9999 }, /* of what blocks learn */
    { "every", 0, 0, 1e9 },          /* steps between decisions; 0: epochs */
    { "measured", 0, 0, 1 },         /* prices in measured seconds; 0: in counted operations, the same in every run */
};

/* The state: these, then S_b of each block, then for each block the decision that froze it, or 0. */
enum { DECISIONS, BEST, HAS_BEST, WAIT, NEXT_WAIT, FIRST_BLOCK };

static double *learned_of(const thaw_policy_view *view)
{
    return view->state + FIRST_BLOCK;
}

static double *frozen_in(const thaw_policy_view *view)
{
    return view->state + FIRST_BLOCK + view->block_count;
}

static unsigned watches(const double *values)
{
    return THAW_WATCH_WEIGHTS | THAW_WATCH_GRADIENTS | THAW_WATCH_UPDATES | THAW_WATCH_PRICES |
           (values[MEASURED] > 0 ? THAW_WATCH_TIMES : 0);
}

static size_t interval(const double *values)
{
    return (size_t)values[EVERY];
}

static size_t state_count(const double *values, size_t blocks)
{
    (void)values;
    return FIRST_BLOCK + 2 * blocks;
}

static void note_learning(const thaw_policy_view *view)
{
    const double kept = view->settings[SMOOTHING];
    double *learned = learned_of(view);
    for (size_t b = 0; b < view->block_count; b++) {
        const double now = view->blocks[b].gradient_norm * view->blocks[b].update_norm;
        if (view->blocks[b].trains && isfinite(now))
            learned[b] = learned[b] > 0 ? kept * learned[b] + (1 - kept) * now : now;
    }
}

/* How far the test is below its best, in the units of the tolerance; notes a new best. 0 without a test. */
static double drop_of(const thaw_policy_view *view)
{
    const bool classes = isfinite(view->test_accuracy);
    const double figure = classes ? view->test_accuracy : -view->test_loss;
    double *best = &view->state[BEST];
    if (!isfinite(figure))
        return 0;
    if (view->state[HAS_BEST] == 0 || figure > *best) {
        *best = figure;
        view->state[HAS_BEST] = 1;
    }
    const double drop = *best - figure;
    return classes || *best == 0 ? drop : drop / fabs(*best);
}

/* Thaws what the latest decision among those that still hold has frozen; false: nothing is frozen by this policy. */
static bool thaw_latest(const thaw_policy_view *view, double drop, thaw_policy_actions *actions)
{
    double *frozen = frozen_in(view), latest = 0;
    size_t first = view->block_count, last = 0;
    for (size_t b = 0; b < view->block_count; b++)
        latest = fmax(latest, frozen[b]);
    if (latest == 0)
        return false;
    for (size_t b = 0; b < view->block_count; b++) {
        if (frozen[b] != latest)
            continue;
        first = b < first ? b : first;
        last = b;
    }
    for (size_t b = first; b <= last; b++)
        frozen[b] = 0;
    view->state[NEXT_WAIT] = view->state[NEXT_WAIT] > 0 ? 2 * view->state[NEXT_WAIT] : 1;
    view->state[WAIT] = view->state[NEXT_WAIT];
    thaw_policy_action *action = thaw_policy_act_on(actions, THAW_POLICY_UNFREEZE, first, last);
    const bool classes = isfinite(view->test_accuracy);
    if (action && classes)
        snprintf(action->reason, sizeof action->reason, "the test accuracy is %.4f, %.4f below its best",
                 view->test_accuracy, drop);
    else if (action)
        snprintf(action->reason, sizeof action->reason, "the test loss is %.4f, %.2f %% above its best",
                 view->test_loss, 100 * drop);
    return true;
}

static double left_of(const thaw_policy_view *view, size_t cut)
{
    return view->settings[MEASURED] > 0 ? view->prices[cut].seconds_left : view->prices[cut].flops_left;
}

static bool moves(const thaw_policy_view *view, size_t block)
{
    const thaw_policy_block *b = &view->blocks[block];
    return b->trains && !(b->update_norm <= view->settings[MOVING] * b->weight_norm);
}

static void freeze(const thaw_policy_view *view, size_t now, size_t cut, double learned, double saved,
                   thaw_policy_actions *actions)
{
    thaw_policy_action *action = thaw_policy_act_on(actions, THAW_POLICY_FREEZE, now, cut - 1);
    for (size_t b = now; b < cut; b++)
        if (view->blocks[b].trains)
            frozen_in(view)[b] = view->state[DECISIONS];
    if (action)
        snprintf(action->reason, sizeof action->reason,
                 "%.2g %% of what is still learned, for %.0f %% of the %s left%s", 100 * learned, 100 * saved,
                 view->settings[MEASURED] > 0 ? "time" : "work",
                 view->prices[cut].cache_bytes ? ", with a feature cache" : "");
}

static void choose_cut(const thaw_policy_view *view, thaw_policy_actions *actions)
{
    const double exchange = view->settings[EXCHANGE], *smoothed = learned_of(view);
    const size_t now = thaw_policy_frozen_below(view);
    double all = 0, below = 0, best = 0, best_learned = 0, best_saved = 0;
    size_t best_cut = 0;
    for (size_t b = 0; b < view->block_count; b++)
        all += view->blocks[b].trains ? smoothed[b] : 0;
    for (size_t cut = now + 1; all > 0 && cut < view->block_count && !moves(view, cut - 1); cut++) {
        below += view->blocks[cut - 1].trains ? smoothed[cut - 1] : 0;
        const double learned = below / all, saved = 1 - left_of(view, cut) / left_of(view, now);
        const double gain = exchange * saved - learned;
        if (!(gain > best))
            continue;
        best = gain;
        best_cut = cut;
        best_learned = learned;
        best_saved = saved;
    }
    if (best_cut)
        freeze(view, now, best_cut, best_learned, best_saved, actions);
}

static void decide(const thaw_policy_view *view, thaw_policy_actions *actions)
{
    if (view->step == 0)
        return;
    view->state[DECISIONS]++;
    note_learning(view);
    const double drop = drop_of(view);
    if (drop > view->settings[TOLERANCE] && thaw_latest(view, drop, actions))
        return;
    if (view->state[WAIT] > 0)
        view->state[WAIT]--;
    else if (view->prices)
        choose_cut(view, actions);
}

const thaw_policy_module thaw_policy_auto = {
    THAW_POLICY_MODULE_HEAD,
    .name = "auto",
    .description = "freezes from below what no longer pays for its price, and thaws it if the test gets worse",
    .settings = settings,
    .setting_count = sizeof settings / sizeof settings[0],
    .watches = watches,
    .interval = interval,
    .state_count = state_count,
    .decide = decide,
};
