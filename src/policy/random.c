/* A control for the others: freezes from below, too, but when a coin says so. With each decision the lowest block that
   trains freezes with probability `chance`; the head never does. */
#include <stdio.h>
#include <thaw/policy_module.h>

enum { CHANCE, EVERY };

static const thaw_hyperparameter settings[] = {
    { "chance", 0.5, 0, 1 }, { "every", 0, 0, 1e9 }, /* steps between decisions; 0: epochs */
};

static size_t interval(const double *values)
{
    return (size_t)values[EVERY];
}

static void decide(const thaw_policy_view *view, thaw_policy_actions *actions)
{
    const size_t lowest = thaw_policy_frozen_below(view);
    if (view->step == 0 || lowest + 1 >= view->block_count || view->draws[0] >= view->settings[CHANCE])
        return;
    thaw_policy_action *action = thaw_policy_act_on(actions, THAW_POLICY_FREEZE, lowest, lowest);
    if (action)
        snprintf(action->reason, sizeof action->reason, "by chance");
}

const thaw_policy_module thaw_policy_random = {
    THAW_POLICY_MODULE_HEAD,
    .name = "random",
    .description = "freezes the lowest block that trains when a coin says so: a control",
    .settings = settings,
    .setting_count = sizeof settings / sizeof settings[0],
    .interval = interval,
    .decide = decide,
};
