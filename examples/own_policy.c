/* A policy of your own: it freezes the lowest block that still trains, as soon as it moves by less than `share` of its
   weights from one decision to the next. As a shared object:

     cc -O2 -shared -fPIC -o own_policy.so own_policy.c $(pkg-config --cflags thaw)
     thaw finetune --policy ./own_policy.so:share=1% ... */
#include <stdio.h>
#include <thaw/policy_module.h>

enum { SHARE, EVERY };

static const thaw_hyperparameter settings[] = {
    { "share", 0.01, 0, 1 }, { "every", 0, 0, 1e9 }, /* steps between decisions; 0: epochs */
};

static unsigned watches(const double *values)
{
    (void)values;
    return THAW_WATCH_WEIGHTS | THAW_WATCH_UPDATES;
}

static size_t interval(const double *values)
{
    return (size_t)values[EVERY];
}

static void decide(const thaw_policy_view *view, thaw_policy_actions *actions)
{
    const size_t lowest = thaw_policy_frozen_below(view);
    if (view->step == 0 || lowest + 1 >= view->block_count)
        return;
    const thaw_policy_block *block = &view->blocks[lowest];
    if (!(block->update_norm < view->settings[SHARE] * block->weight_norm))
        return;
    thaw_policy_action *action = thaw_policy_act_on(actions, THAW_POLICY_FREEZE, lowest, lowest);
    if (action)
        snprintf(action->reason, sizeof action->reason, "it has moved by %.3g %% of its weights",
                 100 * block->update_norm / block->weight_norm);
}

/* Thaw looks for this name in a shared object. A program that links Thaw passes its module to thaw_policy_create_from
   instead. */
THAW_API extern const thaw_policy_module thaw_module;

const thaw_policy_module thaw_module = {
    THAW_POLICY_MODULE_HEAD,
    .name = "own_policy",
    .description = "freezes the lowest block when it hardly moves",
    .settings = settings,
    .setting_count = sizeof settings / sizeof settings[0],
    .watches = watches,
    .interval = interval,
    .decide = decide,
};
