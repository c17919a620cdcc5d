/* LISA: Pan et al. 2024, "LISA: Layerwise Importance Sampling for Memory-Efficient Large Language Model Fine-Tuning",
   arXiv 2403.17919. Every K steps, `blocks` blocks are drawn, all with the same probability, which train until the next
   draw. The lowest block, in the paper the embeddings, and the head train all the time; stem=0 draws the lowest like the
   others, so that a frozen prefix can arise. */
#include <stdio.h>
#include <thaw/policy_module.h>

enum { BLOCKS, EVERY, STEM, KEEP_STATE };

static const thaw_hyperparameter settings[] = {
    { "blocks", 2, 1, 1e6 },
    { "every", 20, 1, 1e9 },
    { "stem", 1, 0, 1 },
    { "keep_state", 1, 0, 1 },
};

static size_t interval(const double *values)
{
    return (size_t)values[EVERY];
}

static bool is_drawn(const thaw_policy_view *view, size_t block)
{
    const bool stem = block == 0 && view->settings[STEM] > 0;
    return !view->blocks[block].fixed && !stem && block + 1 < view->block_count;
}

/* Whether fewer than `blocks` of the others have a larger number. */
static bool is_chosen(const thaw_policy_view *view, size_t block)
{
    size_t larger = 0;
    for (size_t b = 0; b < view->block_count; b++)
        if (b != block && is_drawn(view, b))
            larger += view->draws[b] > view->draws[block] || (view->draws[b] == view->draws[block] && b < block);
    return (double)larger < view->settings[BLOCKS];
}

static void decide(const thaw_policy_view *view, thaw_policy_actions *actions)
{
    for (size_t first = 0, past; first < view->block_count; first = past) {
        past = first + 1;
        if (!is_drawn(view, first))
            continue;
        const bool chosen = is_chosen(view, first);
        if (chosen == view->blocks[first].trains)
            continue;
        while (past < view->block_count && is_drawn(view, past) && is_chosen(view, past) == chosen &&
               view->blocks[past].trains == view->blocks[first].trains)
            past++;
        thaw_policy_action *action =
            thaw_policy_act_on(actions, chosen ? THAW_POLICY_UNFREEZE : THAW_POLICY_FREEZE, first, past - 1);
        if (!action)
            return;
        action->drops_state = !chosen && view->settings[KEEP_STATE] == 0;
        snprintf(action->reason, sizeof action->reason, chosen ? "drawn" : "not drawn");
    }
}

const thaw_policy_module thaw_policy_lisa = {
    THAW_POLICY_MODULE_HEAD,
    .name = "lisa",
    .description = "LISA: a few blocks at random train at a time, with the lowest and the head (arXiv 2403.17919)",
    .settings = settings,
    .setting_count = sizeof settings / sizeof settings[0],
    .interval = interval,
    .decide = decide,
    .recurs = true,
};
