/* What strategies do to a network of five blocks: conv1, conv2, dense1, dense2, dense3. */
#include <math.h>
#include <string.h>

#include "core/pattern.h"
#include "policy/fixture.h"
#include "support/allocator.h"

static const struct {
    const char *name, *head;
    int epochs;
    const char *trains[5];
} cases[] = {
    { "full", NULL, 2, { "TTTTT", "TTTTT" } },
    { "head", NULL, 2, { "----T", "----T" } },
    { "head", "dense*", 1, { "--TTT" } },
    { "head", "dense2", 1, { "---TT" } },
    { "last1", NULL, 1, { "----T" } },
    { "last3", NULL, 1, { "--TTT" } },
    { "last2", "dense2*", 1, { "--TTT" } },
    { "gradual", NULL, 5, { "----T", "---TT", "--TTT", "-TTTT", "TTTTT" } },
    { "gradual", "dense*", 4, { "--TTT", "-TTTT", "TTTTT", "TTTTT" } },
    { "discriminative", NULL, 1, { "TTTTT" } },
    { "bias-only", NULL, 1, { "PPPPT" } },
    { "lora", NULL, 1, { "PPPPT" } },
    { "lora:rank=2", "dense*", 1, { "PPTTT" } },
    { "lp-ft", NULL, 4, { "----T", "----T", "TTTTT", "TTTTT" } },
    { "lp-ft", NULL, 3, { "----T", "----T", "TTTTT" } },
    { "surgical", NULL, 1, { "T---T" } },
    { "top-down", NULL, 5, { "TTTTT", "-TTTT", "--TTT", "---TT", "----T" } },
    { "scratch", NULL, 1, { "TTTTT" } },
};

Test(strategies, train_what_they_say)
{
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        /* The first convolution is [3, 18]: no rank of 8. */
        const bool too_wide = strcmp(cases[i].name, "lora") == 0;
        policy_fixture f = policy_open(cases[i].name, NULL);
        for (int epoch = 1; epoch <= cases[i].epochs && !too_wide; epoch++)
            policy_assert_trains(&f, cases[i].head, epoch, cases[i].epochs, cases[i].trains[epoch - 1]);
        if (too_wide)
            assert_fails(f.context, thaw_strategy_apply(f.strategy, f.model, NULL, 1, 1), THAW_INVALID_ARGUMENT,
                         "strategy lora, epoch 1: rank is 8");
        policy_close(&f);
    }
}

/* The normalisation of a network of dozens of layers has more names than one pattern takes. */
Test(strategies, reach_all_layers_of_a_deep_network)
{
    thaw_context *context = support_context(1);
    thaw_model *model = NULL;
    thaw_strategy *strategy = NULL;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_zoo_build(model, "mobilenet-v2:size=32", 3));
    support_optimize(model, "sgd:lr=1");
    assert_ok(context, thaw_strategy_create(context, "norm-only", NULL, &strategy));
    assert_ok(context, thaw_strategy_apply(strategy, model, NULL, 1, 1));
    for (size_t i = 0; i < thaw_model_parameter_count(model); i++) {
        const thaw_parameter *parameter = thaw_model_parameter(model, i);
        const thaw_role role = thaw_parameter_role(parameter);
        const bool wanted = role == THAW_SCALE || role == THAW_SHIFT ||
                            strncmp(thaw_parameter_name(parameter), "classifier.1.", 13) == 0;
        cr_assert_eq(thaw_parameter_trainable(parameter), wanted, "%s", thaw_parameter_name(parameter));
    }
    thaw_strategy_destroy(context, strategy);
    assert_ok(context, thaw_strategy_create(context, "lora:rank=2", NULL, &strategy));
    assert_ok(context, thaw_strategy_apply(strategy, model, NULL, 1, 1));
    cr_assert_not_null(thaw_model_find_parameter(model, "features.18.0.weight.lora_A"));
    thaw_strategy_destroy(context, strategy);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* Blocks of a transformer begin with a normalisation. Tokens and positions belong to the patches. */
Test(strategies, know_the_blocks_of_a_transformer)
{
    static const struct {
        const char *strategy, *trains;
    } expected[] = {
        { "head", "head" },
        { "last2", "blocks.11.*|norm|head" },
        { "last13", "blocks.*|norm|head" },
        { "last14", "*" },
    };
    thaw_context *context = support_context(1);
    for (size_t k = 0; k < THAW_COUNT(expected); k++) {
        thaw_model *model = NULL;
        thaw_strategy *strategy = NULL;
        assert_ok(context, thaw_model_create(context, &model));
        assert_ok(context, thaw_zoo_build(model, "vit-tiny:size=32", 3));
        support_optimize(model, "sgd:lr=1");
        assert_ok(context, thaw_strategy_create(context, expected[k].strategy, NULL, &strategy));
        assert_ok(context, thaw_strategy_apply(strategy, model, NULL, 1, 1));
        for (size_t i = 0; i < thaw_model_group_count(model); i++) {
            const thaw_group *group = thaw_model_group(model, i);
            const bool wanted = thaw_pattern_matches(expected[k].trains, thaw_group_name(group));
            cr_assert_eq(thaw_parameter_trainable(thaw_group_parameter(group, 0)), wanted, "%s: %s",
                         expected[k].strategy, thaw_group_name(group));
        }
        thaw_strategy_destroy(context, strategy);
        thaw_model_destroy(model);
    }
    thaw_context_destroy(context);
}

Test(strategies, rates_decay_by_block)
{
    policy_fixture f = policy_open("discriminative", NULL);
    assert_ok(f.context, thaw_strategy_apply(f.strategy, f.model, NULL, 1, 1));
    for (int i = 0; i < NETWORK_GROUPS; i++) {
        const double rate = thaw_group_learning_rate(thaw_model_find_group(f.model, network_groups[i]));
        const double expected = pow(2.6, i + 1 - NETWORK_GROUPS);
        cr_assert(fabs(rate - expected) < 1e-15, "%s: %g, wanted %g", network_groups[i], rate, expected);
    }
    policy_close(&f);
}

Test(strategies, scratch_begins_with_initial_values)
{
    policy_fixture f = policy_open("scratch", NULL), reset = policy_open("full", NULL);
    assert_ok(reset.context, thaw_model_reset(reset.model, "*"));
    thaw_parameter *weight = thaw_model_find_parameter(f.model, "conv1.weight");
    thaw_parameter_edit(weight)[0] = 7;
    assert_ok(f.context, thaw_strategy_apply(f.strategy, f.model, NULL, 1, 1));
    cr_assert(thaw_parameter_data(weight)[0] ==
              thaw_parameter_data(thaw_model_find_parameter(reset.model, "conv1.weight"))[0]);
    policy_close(&reset);
    policy_close(&f);
}

Test(strategies, without_what_they_want_are_refused)
{
    policy_fixture f = policy_open("norm-only", NULL);
    assert_fails(f.context, thaw_strategy_apply(f.strategy, f.model, NULL, 1, 1), THAW_NOT_FOUND,
                 "strategy norm-only, epoch 1: \"@norm\" matches nothing in this model");
    policy_close(&f);
    f = policy_open("last6", NULL);
    assert_fails(f.context, thaw_strategy_apply(f.strategy, f.model, NULL, 1, 1), THAW_NOT_FOUND,
                 "\"@top:6\": the model has 5 blocks");
    assert_fails(f.context, thaw_strategy_apply(f.strategy, f.model, "tail*", 1, 1), THAW_NOT_FOUND, "tail*");
    policy_close(&f);
}

Test(strategies, unknown_names_are_met_with_the_nearest)
{
    thaw_context *context = support_context(1);
    thaw_strategy *strategy;
    static const struct {
        const char *name;
        thaw_status status;
        const char *message;
    } wrong[] = {
        { "gradul", THAW_NOT_FOUND, "unknown strategy \"gradul\", did you mean \"gradual\"?" },
        { "last", THAW_NOT_FOUND, "did you mean \"last2\"?" },
        { "last0", THAW_NOT_FOUND, "known: full, head, last2" },
        { "fuller", THAW_NOT_FOUND, "did you mean \"full\"?" },
        { "lora:rank=x", THAW_INVALID_ARGUMENT, "must end in a whole number from 1" },
        { "lora:rank=0", THAW_INVALID_ARGUMENT, "must end in a whole number from 1" },
    };
    for (size_t i = 0; i < THAW_COUNT(wrong); i++) {
        assert_fails(context, thaw_strategy_create(context, wrong[i].name, NULL, &strategy), wrong[i].status,
                     wrong[i].message);
        cr_assert_null(strategy);
    }
    thaw_context_destroy(context);
}

Test(strategies, every_listed_one_can_be_made)
{
    thaw_context *context = support_context(1);
    size_t count = 0;
    for (const char *name; (name = thaw_strategy_builtin(count)); count++) {
        thaw_strategy *strategy;
        assert_ok(context, thaw_strategy_create(context, name, NULL, &strategy));
        cr_assert(*strategy->description);
        thaw_strategy_destroy(context, strategy);
    }
    cr_assert_eq(count, 12);
    thaw_context_destroy(context);
}

static thaw_status make_and_apply(thaw_context *context, thaw_model *model)
{
    thaw_strategy *strategy;
    thaw_status status = thaw_strategy_create(context, "gradual", NULL, &strategy);
    for (int epoch = 1; status == THAW_OK && epoch <= 5; epoch++)
        status = thaw_strategy_apply(strategy, model, NULL, epoch, 5);
    thaw_strategy_destroy(context, strategy);
    return status;
}

Test(strategies, leave_nothing_when_memory_runs_out)
{
    support_allocator allocator = { 0 };
    thaw_context *context = support_context_on(&allocator);
    thaw_model *model = support_network(context, false);
    const size_t live = allocator.live;
    size_t failures = 0;
    thaw_status status = THAW_OUT_OF_MEMORY;
    while (status == THAW_OUT_OF_MEMORY) {
        allocator.fail_at = allocator.calls + ++failures;
        status = make_and_apply(context, model);
        cr_assert_eq(allocator.live, live, "after failure %zu", failures);
    }
    cr_assert_eq(status, THAW_OK);
    cr_assert_gt(failures, 10);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
    cr_assert_eq(allocator.live, 0);
}
