/* Learning rate, weight decay, optimizer and state, by pattern. */
#include <math.h>

#include "support/allocator.h"
#include "support/toy_network.h"

/* Groups a, b and c, one upon the other, and a loss. */
static thaw_model *three_groups(thaw_context *context)
{
    thaw_model *model = toy_model(context, 3);
    toy_append(model, &toy_scale, "a", 0, -1);
    toy_append(model, &toy_center, "b", 1, -1);
    toy_append(model, &toy_scale, "c", 2, -1);
    toy_append(model, &toy_quadratic, "loss", 3, -1);
    return model;
}

/* Gives what matches an optimizer of its own, and drops the caller's reference. */
static void optimize(thaw_model *model, const char *pattern, const char *description)
{
    thaw_context *context = thaw_model_context(model);
    thaw_optimizer *optimizer;
    assert_ok(context, thaw_optimizer_create(context, description, &optimizer));
    assert_ok(context, thaw_select_optimizer(model, pattern, optimizer));
    thaw_optimizer_destroy(optimizer);
}

static const thaw_parameter *factor_of(thaw_model *model, const char *group)
{
    return thaw_group_parameter(thaw_model_find_group(model, group), 0);
}

static void assert_rates(thaw_model *model, double a, double b, double c)
{
    const double expected[] = { a, b, c };
    for (size_t i = 0; i < 3; i++) {
        const double found = thaw_group_learning_rate(thaw_model_group(model, i));
        cr_assert(found == expected[i] || (isnan(found) && isnan(expected[i])), "group %zu has rate %g, wanted %g", i,
                  found, expected[i]);
    }
}

static void assert_decays(thaw_model *model, double a, double b, double c)
{
    const double expected[] = { a, b, c };
    for (size_t i = 0; i < 3; i++) {
        const double found = thaw_group_weight_decay(thaw_model_group(model, i));
        cr_assert(found == expected[i] || (isnan(found) && isnan(expected[i])), "group %zu has decay %g, wanted %g", i,
                  found, expected[i]);
    }
}

static const double unusable[] = { -1, -1e-300, -INFINITY, INFINITY };

/* An optimizer without weight decay: p -= lr g. */
static const thaw_hyperparameter bare_hyperparameters[] = { { "lr", 0.5, 0, 10 } };

static void bare_update(const thaw_update *update)
{
    for (size_t i = 0; i < update->count; i++)
        update->parameter[i] -= update->scalar[0] * update->gradient[i];
}

static const thaw_optimizer_module bare = {
    .size = sizeof(thaw_optimizer_module),
    .abi = THAW_OPTIMIZER_ABI,
    .name = "bare",
    .hyperparameters = bare_hyperparameters,
    .hyperparameter_count = 1,
    .update = bare_update,
};

Test(settings, a_groups_learning_rate_stands_for_its_optimizers)
{
    thaw_context *context = support_context(1);
    thaw_model *model = three_groups(context);
    assert_rates(model, NAN, NAN, NAN);
    optimize(model, "*", "sgd:lr=0.25");
    assert_rates(model, 0.25, 0.25, 0.25);
    assert_ok(context, thaw_select_learning_rate(model, "a|c", 2));
    assert_rates(model, 2, 0.25, 2);
    assert_ok(context, thaw_select_learning_rate(model, "c.factor", 0));
    assert_rates(model, 2, 0.25, 0);
    assert_ok(context, thaw_select_learning_rate(model, "a", NAN));
    assert_rates(model, 0.25, 0.25, 0);
    for (size_t i = 0; i < THAW_COUNT(unusable); i++)
        assert_fails(context, thaw_select_learning_rate(model, "*", unusable[i]), THAW_INVALID_ARGUMENT,
                     "learning rate");
    assert_fails(context, thaw_select_learning_rate(model, "d", 1), THAW_NOT_FOUND, "d");
    assert_fails(context, thaw_select_learning_rate(model, "[", 1), THAW_INVALID_ARGUMENT, "[");
    assert_rates(model, 0.25, 0.25, 0);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(settings, a_learning_rate_without_an_optimizer_is_in_effect_once_there_is_one)
{
    thaw_context *context = support_context(1);
    thaw_model *model = three_groups(context);
    assert_ok(context, thaw_select_learning_rate(model, "b", 2));
    assert_rates(model, NAN, NAN, NAN);
    optimize(model, "*", "sgd:lr=0.25");
    assert_rates(model, 0.25, 2, 0.25);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(settings, a_groups_weight_decay_stands_for_its_optimizers)
{
    thaw_context *context = support_context(1);
    thaw_model *model = three_groups(context);
    assert_decays(model, NAN, NAN, NAN);
    optimize(model, "*", "sgd:weight_decay=0.125");
    assert_ok(context, thaw_select_weight_decay(model, "b", 1));
    assert_decays(model, 0.125, 1, 0.125);
    for (size_t i = 0; i < THAW_COUNT(unusable); i++)
        assert_fails(context, thaw_select_weight_decay(model, "*", unusable[i]), THAW_INVALID_ARGUMENT, "weight decay");
    assert_fails(context, thaw_select_weight_decay(model, "d", 1), THAW_NOT_FOUND, "d");
    assert_decays(model, 0.125, 1, 0.125);
    assert_ok(context, thaw_select_weight_decay(model, "b", NAN));
    assert_decays(model, 0.125, 0.125, 0.125);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(settings, weight_decay_needs_an_optimizer_that_has_it)
{
    thaw_context *context = support_context(1);
    thaw_model *model = three_groups(context);
    thaw_optimizer *optimizer;
    optimize(model, "*", "sgd");
    assert_ok(context, thaw_select_weight_decay(model, "c", 0.5));
    assert_ok(context, thaw_optimizer_create_from(context, &bare, NULL, &optimizer));
    assert_ok(context, thaw_select_optimizer(model, "b|c", optimizer));
    thaw_optimizer_destroy(optimizer);
    assert_fails(context, thaw_select_weight_decay(model, "*", 0.25), THAW_INVALID_ARGUMENT,
                 "bare has no weight_decay");
    assert_decays(model, 0, NAN, NAN);
    assert_ok(context, thaw_select_weight_decay(model, "*", NAN));
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(settings, a_group_keeps_its_optimizer_alive)
{
    support_allocator allocator = { 0 };
    thaw_context *context = support_context_on(&allocator);
    thaw_model *model = three_groups(context);
    cr_assert_null(thaw_group_optimizer(thaw_model_group(model, 0)));
    optimize(model, "*", "adam");
    thaw_optimizer *shared = thaw_group_optimizer(thaw_model_group(model, 0));
    cr_assert_eq(thaw_group_optimizer(thaw_model_group(model, 2)), shared);
    assert_ok(context, thaw_select_optimizer(model, "*", shared));
    optimize(model, "a|b", "sgd:lr=0.5");
    assert_rates(model, 0.5, 0.5, 1e-3);
    assert_ok(context, thaw_optimizer_set(shared, "lr", 2));
    assert_rates(model, 0.5, 0.5, 2);
    assert_fails(context, thaw_select_optimizer(model, "*", NULL), THAW_INVALID_ARGUMENT, "the optimizer is missing");
    assert_fails(context, thaw_select_optimizer(model, "x*", shared), THAW_NOT_FOUND, "x*");
    cr_assert_eq(thaw_group_optimizer(thaw_model_group(model, 2)), shared);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
    cr_assert_eq(allocator.live, 0, "%zu blocks leaked", allocator.live);
}

Test(settings, an_optimizer_of_another_context_is_refused)
{
    thaw_context *context = support_context(1), *other = support_context(1);
    thaw_model *model = three_groups(context);
    thaw_optimizer *foreign;
    optimize(model, "*", "sgd:lr=0.5");
    assert_ok(other, thaw_optimizer_create(other, "sgd:lr=2", &foreign));
    assert_fails(context, thaw_select_optimizer(model, "a", foreign), THAW_INVALID_ARGUMENT,
                 "\"a\": the optimizer belongs to another context");
    assert_rates(model, 0.5, 0.5, 0.5);
    thaw_optimizer_destroy(foreign);
    thaw_context_destroy(other);
    assert_ok(context, toy_step(model, 2, 1, NULL));
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* ---- state ---- */

static void assert_state(thaw_model *model, const char *group, const char *slot, uint64_t steps)
{
    const thaw_parameter *factor = factor_of(model, group);
    cr_assert_eq(thaw_parameter_steps(factor), steps, "%s has had %lu steps, wanted %lu", group,
                 (unsigned long)thaw_parameter_steps(factor), (unsigned long)steps);
    cr_assert_eq(thaw_parameter_state(factor, slot) != NULL, steps > 0, "%s of %s", slot, group);
}

Test(settings, another_kind_of_optimizer_discards_state_and_the_same_kind_keeps_it)
{
    thaw_context *context = support_context(1);
    thaw_model *model = three_groups(context);
    optimize(model, "*", "adam");
    assert_ok(context, toy_step(model, 2, 1, NULL));
    assert_ok(context, toy_step(model, 2, 2, NULL));
    optimize(model, "a", "rmsprop");
    optimize(model, "b", "adam:lr=1");
    cr_assert_eq(thaw_parameter_steps(factor_of(model, "a")), 0);
    cr_assert_null(thaw_parameter_state(factor_of(model, "a"), "square_avg"));
    assert_state(model, "b", "exp_avg", 2);
    assert_state(model, "c", "exp_avg", 2);
    assert_ok(context, toy_step(model, 2, 3, NULL));
    assert_state(model, "a", "square_avg", 1);
    cr_assert_null(thaw_parameter_state(factor_of(model, "a"), "exp_avg"), "a slot that RMSprop has not");
    assert_state(model, "b", "exp_avg", 3);
    cr_assert_null(thaw_parameter_state(factor_of(model, "b"), "exp"), "a slot that there is not");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(settings, state_is_released_where_it_is_asked_for)
{
    thaw_context *context = support_context(1);
    thaw_model *model = three_groups(context);
    optimize(model, "*", "sgd:momentum=0.9");
    assert_ok(context, toy_step(model, 2, 1, NULL));
    assert_fails(context, thaw_select_release_state(model, "x"), THAW_NOT_FOUND, "x");
    assert_state(model, "a", "momentum_buffer", 1);
    assert_ok(context, thaw_select_release_state(model, "[ab].factor"));
    assert_state(model, "a", "momentum_buffer", 0);
    assert_state(model, "b", "momentum_buffer", 0);
    assert_state(model, "c", "momentum_buffer", 1);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(settings, reset_draws_initial_values_and_discards_state)
{
    thaw_context *context = support_context(1);
    thaw_model *model = three_groups(context), *fresh = three_groups(context);
    optimize(model, "*", "sgd:momentum=0.9,lr=0.5");
    for (uint32_t i = 0; i < 3; i++)
        assert_ok(context, toy_step(model, 2, i, NULL));
    thaw_parameter_edit(thaw_model_find_parameter(model, "b.mean"))[0] = 7;
    cr_assert_neq(toy_value(model, "a.factor"), toy_value(fresh, "a.factor"));
    const float kept = toy_value(model, "c.factor");
    assert_fails(context, thaw_model_reset(model, "x"), THAW_NOT_FOUND, "x");
    assert_ok(context, thaw_model_reset(model, "a|b.factor"));
    cr_assert_neq(toy_value(model, "a.factor"), toy_value(fresh, "a.factor"), "the values that it began with");
    assert_ok(context, thaw_model_reset(fresh, "a|b.factor"));
    cr_assert_eq(toy_value(model, "a.factor"), toy_value(fresh, "a.factor"));
    cr_assert_eq(toy_value(model, "b.factor"), toy_value(fresh, "b.factor"));
    cr_assert_eq(toy_value(model, "b.mean"), 7, "a parameter that did not match");
    cr_assert_eq(toy_value(model, "c.factor"), kept);
    assert_state(model, "a", "momentum_buffer", 0);
    assert_state(model, "c", "momentum_buffer", 3);
    assert_ok(context, thaw_model_reset(model, "b"));
    cr_assert_eq(toy_value(model, "b.mean"), 0);
    thaw_model_destroy(fresh);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
