/* Policies that come back to earlier states of freezing: the programs that were kept give the bits of new ones. */
#include <stdlib.h>
#include <string.h>

#include "params/expression.h"
#include "policy/policy.h"
#include "policy/steered.h"

typedef void change_options(steered *run);

/* The weights of a run with the policy, whose module says that states recur, or does not. */
static float *weights_of(const char *policy, bool recurs, const char *optimizer, change_options *change, size_t *count)
{
    steered run;
    steered_open(&run, policy);
    cr_assert(run.policy->module.recurs);
    run.policy->module.recurs = recurs;
    support_optimize(run.model, optimizer);
    if (change)
        change(&run);
    float *weights = steered_fit(&run, count);
    cr_assert_gt(run.count, 6U);
    steered_close(&run);
    return weights;
}

static void assert_same(const char *policy, const char *optimizer, change_options *change)
{
    size_t count, again;
    float *kept = weights_of(policy, true, optimizer, change, &count);
    float *compiled = weights_of(policy, false, optimizer, change, &again);
    cr_assert_eq(count, again);
    cr_assert_arr_eq(kept, compiled, count * sizeof *kept, "%s with %s", policy, optimizer);
    free(kept);
    free(compiled);
}

Test(policy_recurring, kept_programs_give_the_same_bits)
{
    assert_same("badam:every=1", "adam:lr=0.01", NULL);
    assert_same("badam:every=1,keep_state=1,head=0", "adam:lr=0.01", NULL);
    assert_same("lisa:every=1,blocks=1,stem=0", "sgd:lr=0.05,momentum=0.9", NULL);
    assert_same("badam:every=2", "lookahead:k=2/adamw:lr=0.01", NULL);
    assert_same("badam:every=1", "muon:lr=0.01", NULL);
}

static void in_shards(steered *run)
{
    run->options.shards = 2;
    run->options.clip_norm = 0.5;
}

static void averaged(steered *run)
{
    run->options.average_decay = 0.9;
}

static void without_memory_for_a_cache(steered *run)
{
    run->options.cache_bytes = 0;
    run->options.drop_last = true;
}

Test(policy_recurring, also_in_shards_with_averages_and_without_a_cache)
{
    assert_same("badam:every=1", "adam:lr=0.01", in_shards);
    assert_same("lisa:every=1,blocks=1,stem=0", "adam:lr=0.01", averaged);
    assert_same("badam:every=2", "adam:lr=0.01", without_memory_for_a_cache);
}

/* Sixteen states, which come in turn. */
static size_t each_step(const double *settings)
{
    (void)settings;
    return 1;
}

static void count_up(const thaw_policy_view *view, thaw_policy_actions *actions)
{
    for (size_t b = 0; b + 1 < view->block_count; b++)
        thaw_policy_act_on(actions, (view->step * 7) >> b & 1 ? THAW_POLICY_FREEZE : THAW_POLICY_UNFREEZE, b, b);
}

static const thaw_policy_module counting = {
    THAW_POLICY_MODULE_HEAD, .name = "counting", .interval = each_step, .decide = count_up, .recurs = true,
};

Test(policy_recurring, a_plan_is_the_same_after_coming_back)
{
    steered run;
    thaw_trainer *trainer;
    const thaw_plan *plans[32] = { NULL };
    steered_open_module(&run, &counting, NULL);
    run.options.epochs = 20;
    run.options.drop_last = true;
    run.options.test = NULL;
    run.options.cache_bytes = 0;
    assert_ok(run.context, thaw_trainer_create(run.model, run.data, &run.options, &trainer));
    for (size_t step = 0; step < 38; step++) {
        const size_t state = step * 7 % 16;
        run.count = 0;
        assert_ok(run.context, thaw_trainer_step(trainer, NULL));
        const thaw_plan *plan;
        assert_ok(run.context, thaw_model_plan(run.model, &(thaw_plan_options){ .batch = STEERED_BATCH }, &plan));
        if (step < 16)
            plans[state] = plan;
        cr_assert_eq(plan, plans[state], "step %zu: another plan", step);
        for (size_t i = 0; i < state; i++)
            cr_assert(plans[i] != plans[state]);
    }
    thaw_trainer_destroy(trainer);
    /* Without the policy, nothing is kept. */
    cr_assert_not(thaw_model_parameter(run.model, 0)->stored->set->recurs);
    steered_close(&run);
}

/* What else changes makes all of it go. */
Test(policy_recurring, other_changes_compile)
{
    steered run;
    thaw_trainer *trainer;
    steered_open_module(&run, &counting, NULL);
    run.options.epochs = 20;
    assert_ok(run.context, thaw_trainer_create(run.model, run.data, &run.options, &trainer));
    for (size_t step = 0; step < 40; step++) {
        run.count = 0;
        if (step == 20)
            assert_ok(run.context, thaw_model_freeze(run.model, "dense3.bias"));
        if (step == 25)
            support_optimize(run.model, "sgd:lr=0.01,momentum=0.9");
        if (step == 30)
            thaw_model_set_fusion(run.model, false);
        assert_ok(run.context, thaw_trainer_step(trainer, NULL));
    }
    thaw_trainer_destroy(trainer);
    steered_close(&run);
}
