/* BAdam: Luo, Yu and Li 2024, "BAdam: A Memory Efficient Full Parameter Optimization Method for Large Language Models",
   arXiv 2404.02827. One block trains at a time, for K steps; then the next. Each cycle takes all blocks once, in an order
   that is drawn anew, from the bottom up, or from the top down. As in the paper, the optimizer's state of a block is
   dropped at the end of its turn, so that every turn begins with state zero. The head is new in fine-tuning and trains
   all the time, unless head=0: then it has its turn as the others. */
#include <stdio.h>
#include <thaw/policy_module.h>

enum { EVERY, ORDER, HEAD, KEEP_STATE };
enum { SHUFFLED, ASCENDING, DESCENDING };

static const thaw_hyperparameter settings[] = {
    { "every", 100, 1, 1e9 },
    { "order", SHUFFLED, SHUFFLED, DESCENDING },
    { "head", 1, 0, 1 },
    { "keep_state", 0, 0, 1 },
};

/* The state: turns so far, then the order of the blocks in this cycle. */
static size_t interval(const double *values)
{
    return (size_t)values[EVERY];
}

static size_t state_count(const double *values, size_t blocks)
{
    (void)values;
    return 1 + blocks;
}

static bool takes_turns(const thaw_policy_view *view, size_t block)
{
    return !view->blocks[block].fixed && !(view->settings[HEAD] > 0 && block + 1 == view->block_count);
}

/* Whether block `a` comes before block `b` in this cycle. */
static bool comes_before(const thaw_policy_view *view, size_t a, size_t b)
{
    const int order = (int)view->settings[ORDER];
    if (order == SHUFFLED && view->draws[a] != view->draws[b])
        return view->draws[a] < view->draws[b];
    return order == DESCENDING ? a > b : a < b;
}

/* Returns how many take turns. */
static size_t order_blocks(const thaw_policy_view *view)
{
    double *order = view->state + 1;
    size_t count = 0;
    for (size_t b = 0; b < view->block_count; b++) {
        size_t at = count;
        if (!takes_turns(view, b))
            continue;
        for (; at > 0 && comes_before(view, b, (size_t)order[at - 1]); at--)
            order[at] = order[at - 1];
        order[at] = (double)b;
        count++;
    }
    return count;
}

static size_t count_blocks(const thaw_policy_view *view)
{
    size_t count = 0;
    for (size_t b = 0; b < view->block_count; b++)
        count += takes_turns(view, b);
    return count;
}

static void decide(const thaw_policy_view *view, thaw_policy_actions *actions)
{
    const size_t count = count_blocks(view);
    if (count < 2)
        return;
    const size_t turn = (size_t)view->state[0] % count;
    if (turn == 0)
        order_blocks(view);
    view->state[0]++;
    const size_t chosen = (size_t)view->state[1 + turn];
    for (size_t first = 0, past; first < view->block_count; first = past) {
        past = first + 1;
        if (!takes_turns(view, first) || first == chosen || !view->blocks[first].trains)
            continue;
        while (past < view->block_count && takes_turns(view, past) && past != chosen && view->blocks[past].trains)
            past++;
        thaw_policy_action *rest = thaw_policy_act_on(actions, THAW_POLICY_FREEZE, first, past - 1);
        if (!rest)
            return;
        rest->drops_state = view->settings[KEEP_STATE] == 0;
        snprintf(rest->reason, sizeof rest->reason, view->step ? "the turn is over" : "one block trains at a time");
    }
    thaw_policy_action *next =
        view->blocks[chosen].trains ? NULL : thaw_policy_act_on(actions, THAW_POLICY_UNFREEZE, chosen, chosen);
    if (next)
        snprintf(next->reason, sizeof next->reason, "turn %zu of %zu", turn + 1, count);
}

const thaw_policy_module thaw_policy_badam = {
    THAW_POLICY_MODULE_HEAD,
    .name = "badam",
    .description = "BAdam: blocks train in turns, one at a time (arXiv 2404.02827)",
    .settings = settings,
    .setting_count = sizeof settings / sizeof settings[0],
    .interval = interval,
    .state_count = state_count,
    .decide = decide,
    .recurs = true,
};
