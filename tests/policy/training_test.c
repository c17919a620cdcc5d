/* Runs that a strategy steers, beside a host that applies the same rules itself. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/network.h"

enum { EPOCHS = 5, MOST_RULES = 16 };

typedef struct effect {
    int epoch;
    thaw_action action;
    char pattern[64];
    size_t trainable;
} effect;

typedef struct record {
    effect effects[MOST_RULES];
    size_t count, cached;
    size_t trained[EPOCHS], cache_bytes[EPOCHS];
} record;

static void on_rule(void *user, const thaw_rule_effect *told)
{
    record *seen = user;
    cr_assert_lt(seen->count, MOST_RULES);
    effect *kept = &seen->effects[seen->count++];
    *kept = (effect){ .epoch = told->epoch, .action = told->rule->action, .trainable = told->trainable_parameters };
    snprintf(kept->pattern, sizeof kept->pattern, "%s", told->pattern);
}

static bool on_epoch(void *user, const thaw_epoch_result *epoch_result)
{
    record *seen = user;
    seen->trained[epoch_result->epoch - 1] = epoch_result->trainable_parameters;
    seen->cache_bytes[epoch_result->epoch - 1] = epoch_result->cache_bytes;
    seen->cached += epoch_result->cached;
    return true;
}

typedef struct fixture {
    thaw_context *context;
    thaw_model *model;
    thaw_dataset *data;
    thaw_strategy *strategy;
} fixture;

static fixture open_fixture(const char *name)
{
    fixture made = { .context = support_context(2) };
    made.model = support_network(made.context, true);
    made.data = support_samples(made.context, 45, 5);
    support_optimize(made.model, "adam:lr=0.01");
    assert_ok(made.context, thaw_strategy_create(made.context, name, NULL, &made.strategy));
    return made;
}

/* All parameters, which the caller frees. */
static float *close_fixture(fixture *made, size_t *count)
{
    float *weights = support_weights(made->model, count);
    thaw_strategy_destroy(made->context, made->strategy);
    thaw_dataset_destroy(made->data);
    thaw_model_destroy(made->model);
    thaw_context_destroy(made->context);
    return weights;
}

static float *train(const char *name, size_t cache_bytes, record *seen, size_t *count)
{
    fixture f = open_fixture(name);
    *seen = (record){ 0 };
    const thaw_fit_options options = {
        .epochs = EPOCHS,
        .batch = 16,
        .strategy = f.strategy,
        .cache_bytes = cache_bytes,
        .on_epoch = on_epoch,
        .on_rule = on_rule,
        .user = seen,
    };
    assert_ok(f.context, thaw_fit(f.model, f.data, &options, NULL));
    return close_fixture(&f, count);
}

static float *train_by_hand(const char *name, size_t *count)
{
    fixture f = open_fixture(name);
    thaw_trainer *trainer;
    const thaw_fit_options options = { .epochs = EPOCHS, .batch = 16 };
    assert_ok(f.context, thaw_trainer_create(f.model, f.data, &options, &trainer));
    for (int epoch = 1; epoch <= EPOCHS; epoch++) {
        assert_ok(f.context, thaw_strategy_apply(f.strategy, f.model, NULL, epoch, EPOCHS));
        assert_ok(f.context, thaw_trainer_epoch(trainer, NULL));
    }
    thaw_trainer_destroy(trainer);
    return close_fixture(&f, count);
}

Test(strategy_training, gives_the_bits_of_rules_applied_by_hand)
{
    static const char *const names[] = { "gradual", "discriminative", "lora:rank=2", "lp-ft", "top-down", "scratch" };
    for (size_t i = 0; i < THAW_COUNT(names); i++)
        for (size_t cache = 0; cache < 2; cache++) {
            record seen;
            size_t count, expected_count;
            float *found = train(names[i], cache << 24, &seen, &count);
            float *expected = train_by_hand(names[i], &expected_count);
            cr_assert_eq(count, expected_count);
            cr_assert(memcmp(found, expected, count * sizeof *found) == 0, "%s, cache %zu", names[i], cache);
            free(found);
            free(expected);
        }
}

Test(strategy_training, tells_what_each_rule_did)
{
    record seen;
    size_t count;
    free(train("gradual", 0, &seen, &count));
    static const struct {
        int epoch;
        thaw_action action;
        const char *pattern;
    } expected[] = {
        { 1, THAW_ACTION_FREEZE, "*" },
        { 1, THAW_ACTION_UNFREEZE, "dense3" },
        { 2, THAW_ACTION_UNFREEZE, "dense2|dense3" },
        { 3, THAW_ACTION_UNFREEZE, "dense1|dense2|dense3" },
        { 4, THAW_ACTION_UNFREEZE, "conv2|dense1|dense2|dense3" },
        { 5, THAW_ACTION_UNFREEZE, "conv1|conv2|dense1|dense2|dense3" },
    };
    cr_assert_eq(seen.count, THAW_COUNT(expected));
    for (size_t i = 0; i < THAW_COUNT(expected); i++) {
        const effect *found = &seen.effects[i];
        cr_assert(found->epoch == expected[i].epoch && found->action == expected[i].action, "rule %zu", i);
        cr_assert_str_eq(found->pattern, expected[i].pattern);
        cr_assert_eq(found->trainable, i == 0 ? 0 : seen.trained[found->epoch - 1]);
    }
    const size_t dense3 = 6 * 4 + 4, dense2 = 11 * 6 + 6;
    cr_assert(seen.trained[0] == dense3 && seen.trained[1] == dense3 + dense2);
    cr_assert_eq(seen.trained[EPOCHS - 1], count);
}

/* No epoch fills a cache that the next one's rules make useless. */
Test(strategy_training, caches_what_stays_frozen)
{
    record seen;
    size_t count;
    free(train("gradual", 1 << 24, &seen, &count));
    cr_assert_eq(seen.cached, 0);
    for (int i = 0; i < EPOCHS; i++)
        cr_assert_eq(seen.cache_bytes[i], 0, "epoch %d", i + 1);
    free(train("lp-ft", 1 << 24, &seen, &count)); /* thaws before the fourth of five epochs */
    cr_assert_eq(seen.cached, 2);
    free(train("head", 1 << 24, &seen, &count));
    cr_assert_eq(seen.cached, EPOCHS - 1);
}

/* ---------------------------------------------------------------- before the first step */

static void assert_refused(const thaw_strategy_rule *rule, thaw_status status, const char *message)
{
    size_t count;
    fixture f = open_fixture("full");
    const thaw_strategy own = { .rules = rule, .rule_count = 1 };
    const thaw_fit_options options = { .epochs = 3, .strategy = &own };
    assert_fails(f.context, thaw_strategy_check(&own, f.model, NULL, 3), status, message);
    assert_fails(f.context, thaw_fit(f.model, f.data, &options, NULL), status, message);
    cr_assert_eq(thaw_parameter_steps(thaw_model_parameter(f.model, 0)), 0);
    free(close_fixture(&f, &count));
}

Test(strategy_training, is_refused_before_the_first_step)
{
    static const struct {
        thaw_strategy_rule rule;
        thaw_status status;
        const char *message;
    } cases[] = {
        { { .epoch = 3, .pattern = "conv9" }, THAW_NOT_FOUND, "conv9" },
        { { .epoch = 9, .pattern = "conv9" }, THAW_NOT_FOUND, "rule 1: " },
        { { .epoch = 3, .pattern = "@top:6" }, THAW_NOT_FOUND, "\"@top:6\": the model has 5 blocks" },
        { { .epoch = 3, .pattern = "@norm" }, THAW_NOT_FOUND, "\"@norm\" matches nothing" },
        { { .epoch = 3, .pattern = "@tail" }, THAW_INVALID_ARGUMENT, "\"@tail\": no such part" },
        { { .epoch = 3, .pattern = "conv[" }, THAW_INVALID_ARGUMENT, "\"conv[\"" },
        { { .epoch = 3 }, THAW_INVALID_ARGUMENT, "pattern is missing" },
        { { .epoch = -1, .pattern = "*" }, THAW_INVALID_ARGUMENT, "epoch must not be negative" },
        { { .share = 1, .pattern = "*" }, THAW_INVALID_ARGUMENT, "share must be at least 0 and below 1" },
        { { .share = NAN, .pattern = "*" }, THAW_INVALID_ARGUMENT, "share must be at least 0 and below 1" },
        { { .pattern = "*", .action = (thaw_action)17 }, THAW_INVALID_ARGUMENT, "action must be" },
        { { .pattern = "*", .action = THAW_ACTION_RATE, .value = -1 }, THAW_INVALID_ARGUMENT, "finite and not neg" },
        { { .pattern = "*", .action = THAW_ACTION_LORA, .value = 1.5 }, THAW_INVALID_ARGUMENT, "whole number" },
    };
    for (size_t i = 0; i < THAW_COUNT(cases); i++)
        assert_refused(&cases[i].rule, cases[i].status, cases[i].message);
}

/* Adapters are not there when the strategy is checked. */
Test(strategy_training, may_name_adapters_that_it_adds)
{
    fixture f = open_fixture("full");
    size_t count;
    const thaw_strategy_rule rules[] = {
        { .epoch = 1, .pattern = "dense1.weight", .action = THAW_ACTION_LORA, .value = 2 },
        { .epoch = 2, .pattern = "*.lora_A", .action = THAW_ACTION_FREEZE },
    };
    const thaw_strategy own = { .name = "own", .rules = rules, .rule_count = THAW_COUNT(rules) };
    const thaw_fit_options options = { .epochs = 2, .batch = 45, .strategy = &own };
    assert_ok(f.context, thaw_fit(f.model, f.data, &options, NULL));
    cr_assert_eq(thaw_parameter_steps(thaw_model_find_parameter(f.model, "dense1.weight.lora_A")), 1);
    cr_assert_eq(thaw_parameter_steps(thaw_model_find_parameter(f.model, "dense1.weight.lora_B")), 2);
    free(close_fixture(&f, &count));
}

Test(strategy_training, a_part_that_is_none_is_refused_when_applied)
{
    fixture f = open_fixture("full");
    size_t count;
    const thaw_strategy_rule rule = { .epoch = 1, .pattern = "@tail", .action = THAW_ACTION_FREEZE };
    const thaw_strategy own = { .rules = &rule, .rule_count = 1 };
    assert_fails(f.context, thaw_strategy_apply(&own, f.model, NULL, 1, 1), THAW_INVALID_ARGUMENT, "no such part");
    free(close_fixture(&f, &count));
}
