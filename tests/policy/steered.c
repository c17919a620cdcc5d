#include "policy/steered.h"

#include <stdio.h>
#include <string.h>

static void on_action(void *user, const thaw_policy_effect *effect)
{
    steered *run = user;
    cr_assert_lt(run->count, (size_t)STEERED_MOST);
    cr_assert_lt(effect->last, effect->blocks);
    cr_assert_not_null(effect->first_name);
    snprintf(run->reasons[run->count], sizeof run->reasons[0], "%s", effect->reason);
    run->told[run->count] = *effect;
    run->told[run->count].reason = run->reasons[run->count];
    run->count++;
}

static void begin(steered *run)
{
    *run = (steered){ .context = support_context(2) };
    run->model = support_network(run->context, true);
    run->data = support_samples(run->context, STEERED_SAMPLES, 5);
    run->test = support_samples(run->context, 20, 6);
    support_optimize(run->model, "adam:lr=0.01");
    run->options = (thaw_fit_options){ .epochs = STEERED_EPOCHS,
                                       .batch = STEERED_BATCH,
                                       .test = run->test,
                                       .cache_bytes = 1 << 20,
                                       .on_action = on_action,
                                       .user = run };
}

void steered_open(steered *run, const char *policy)
{
    begin(run);
    assert_ok(run->context, thaw_policy_create(run->context, policy, &run->policy));
    run->options.policy = run->policy;
}

void steered_open_module(steered *run, const thaw_policy_module *module, const char *settings)
{
    begin(run);
    assert_ok(run->context, thaw_policy_create_from(run->context, module, settings, &run->policy));
    run->options.policy = run->policy;
}

void steered_close(steered *run)
{
    thaw_policy_destroy(run->policy);
    thaw_dataset_destroy(run->data);
    thaw_dataset_destroy(run->test);
    thaw_model_destroy(run->model);
    thaw_context_destroy(run->context);
}

float *steered_fit(steered *run, size_t *count)
{
    assert_ok(run->context, thaw_fit(run->model, run->data, &run->options, NULL));
    return support_weights(run->model, count);
}

void steered_assert_trains(const steered *run, const char *expected)
{
    char found[NETWORK_GROUPS + 1] = { 0 };
    for (int i = 0; i < NETWORK_GROUPS; i++) {
        thaw_trainability trains;
        assert_ok(run->context, thaw_model_trainability(run->model, network_groups[i], &trains));
        found[i] = "-PT"[trains];
    }
    cr_assert_str_eq(found, expected, "%s, wanted %s", found, expected);
}
