/* Policies that ask for what cannot be, and the limit of compilations. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "policy/steered.h"

static thaw_policy_action wanted[2];
static size_t wanted_count;

static void decide(const thaw_policy_view *view, thaw_policy_actions *actions)
{
    if (view->step == 0)
        return;
    memcpy(actions->action, wanted, sizeof wanted);
    actions->count = wanted_count;
}

static const thaw_policy_module module = { THAW_POLICY_MODULE_HEAD, .name = "asking", .decide = decide };

/* The run ends with an error that has this text in its message, and the weights of its first epoch. */
static void assert_refused(const char *text)
{
    steered run;
    thaw_trainer *trainer;
    size_t count;
    steered_open_module(&run, &module, NULL);
    assert_ok(run.context, thaw_trainer_create(run.model, run.data, &run.options, &trainer));
    assert_ok(run.context, thaw_trainer_epoch(trainer, NULL));
    float *weights = support_weights(run.model, &count);
    cr_assert_eq(thaw_trainer_epoch(trainer, NULL), THAW_INVALID_ARGUMENT);
    cr_assert_not_null(strstr(thaw_context_message(run.context), text), "%s", thaw_context_message(run.context));
    float *after = support_weights(run.model, &count);
    cr_assert_arr_eq(weights, after, count * sizeof *weights);
    cr_assert_eq(run.count, 0U);
    steered_assert_trains(&run, "TTTTT");
    thaw_trainer_destroy(trainer);
    free(weights);
    free(after);
    steered_close(&run);
}

static void ask(thaw_policy_action action)
{
    wanted[0] = action;
    wanted_count = 1;
}

Test(policy_refusals, an_unknown_block)
{
    ask((thaw_policy_action){ .act = THAW_POLICY_FREEZE, .first = 3, .last = 7 });
    assert_refused("policy asking, freeze blocks 3 to 7: the network has the blocks 0 to 4");
    ask((thaw_policy_action){ .act = THAW_POLICY_UNFREEZE, .first = 3, .last = 2 });
    assert_refused("unfreeze blocks 3 to 2");
}

Test(policy_refusals, freezing_everything)
{
    ask((thaw_policy_action){ .act = THAW_POLICY_FREEZE, .first = 0, .last = 4 });
    assert_refused("policy asking: it freezes all blocks, at least one must train");
}

Test(policy_refusals, what_is_no_action)
{
    ask((thaw_policy_action){ .act = (thaw_policy_act)9 });
    assert_refused("unknown action on blocks 0 to 0: there is no such action");
    ask((thaw_policy_action){ .act = THAW_POLICY_LIMIT });
    assert_refused("there is no such action");
    ask((thaw_policy_action){ .act = THAW_POLICY_RATE, .value = -1 });
    assert_refused("the rate's factor must be finite and not negative");
    ask((thaw_policy_action){ .act = THAW_POLICY_RATE, .value = (double)NAN });
    assert_refused("the rate's factor must be finite and not negative");
    wanted_count = THAW_POLICY_MOST_ACTIONS + 1;
    assert_refused("a decision of 65 actions, must be at most 64");
}

/* The order of actions counts: what is frozen and thawed at once trains. */
Test(policy_refusals, freezing_everything_and_thawing_some_is_none)
{
    steered run;
    size_t count;
    wanted[0] = (thaw_policy_action){ .act = THAW_POLICY_FREEZE, .first = 0, .last = 4 };
    wanted[1] = (thaw_policy_action){ .act = THAW_POLICY_UNFREEZE, .first = 2, .last = 2 };
    wanted_count = 2;
    steered_open_module(&run, &module, NULL);
    run.options.epochs = 2;
    free(steered_fit(&run, &count));
    steered_assert_trains(&run, "--T--");
    steered_close(&run);
}

Test(policy_refusals, a_strategy_and_a_policy)
{
    steered run;
    thaw_strategy *strategy;
    thaw_trainer *trainer;
    steered_open(&run, "auto");
    assert_ok(run.context, thaw_strategy_create(run.context, "head", NULL, &strategy));
    run.options.strategy = strategy;
    cr_assert_eq(thaw_trainer_create(run.model, run.data, &run.options, &trainer), THAW_INVALID_ARGUMENT);
    cr_assert_str_eq(thaw_context_message(run.context),
                     "the run has the strategy head and the policy auto, must have one of them");
    cr_assert_null(trainer);
    run.options.strategy = NULL;
    run.options.head = "nothing";
    cr_assert_eq(thaw_trainer_create(run.model, run.data, &run.options, &trainer), THAW_NOT_FOUND);
    thaw_strategy_destroy(run.context, strategy);
    steered_close(&run);
}

/* ---- oscillating ---- */

static size_t each_step(const double *settings)
{
    (void)settings;
    return 1;
}

/* Another set of blocks with each step: the bits of its number. */
static void count_up(const thaw_policy_view *view, thaw_policy_actions *actions)
{
    for (size_t b = 0; b + 1 < view->block_count; b++)
        thaw_policy_act_on(actions, view->step >> b & 1 ? THAW_POLICY_FREEZE : THAW_POLICY_UNFREEZE, b, b);
}

static const thaw_policy_module counting = {
    THAW_POLICY_MODULE_HEAD,
    .name = "counting",
    .interval = each_step,
    .decide = count_up,
};

Test(policy_refusals, a_policy_that_changes_its_mind_too_often_rests)
{
    steered run;
    size_t count;
    steered_open_module(&run, &counting, NULL);
    run.options.policy_compilations = 5;
    free(steered_fit(&run, &count));
    const thaw_policy_effect *last = &run.told[run.count - 1];
    cr_assert_eq(last->act, THAW_POLICY_LIMIT);
    cr_assert_eq(last->step, 6U);
    cr_assert_not_null(strstr(last->reason, "5 plans were compiled, the limit"));
    steered_assert_trains(&run, "-T-TT"); /* of step 5 */
    steered_close(&run);
}

/* States that come again are known: taking turns is not oscillating. */
Test(policy_refusals, states_that_recur_do_not_count)
{
    steered run;
    size_t count;
    steered_open(&run, "badam:every=1,order=1");
    run.options.policy_compilations = 4;
    free(steered_fit(&run, &count));
    for (size_t i = 0; i < run.count; i++)
        cr_assert_neq(run.told[i].act, THAW_POLICY_LIMIT);
    steered_close(&run);
}
