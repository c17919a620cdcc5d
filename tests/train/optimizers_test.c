/* Optimizers that change between steps. */
#include "support/network.h"

enum { BATCH = 6 };

static thaw_parameter *any_weight(thaw_model *model)
{
    return thaw_model_find_parameter(model, "dense3.weight");
}

static thaw_optimizer *make(thaw_context *context, const char *description)
{
    thaw_optimizer *optimizer = NULL;
    assert_ok(context, thaw_optimizer_create(context, description, &optimizer));
    return optimizer;
}

/* However the counts of changes of the two add up. */
Test(optimizers, another_kind_takes_over_with_state_of_its_own)
{
    for (int changes = 0; changes < 4; changes++) {
        thaw_context *context = support_context(1);
        thaw_model *model = support_network(context, false);
        thaw_optimizer *plain = make(context, "sgd:lr=0.1"), *adam = make(context, "adam");
        assert_ok(context, thaw_select_optimizer(model, "*", plain));
        for (int i = 0; i < changes; i++)
            assert_ok(context, thaw_optimizer_set(plain, "lr", 0.01));
        assert_ok(context, support_step(model, BATCH, 1, NULL, NULL));
        cr_assert_null(thaw_parameter_state(any_weight(model), "exp_avg"));
        assert_ok(context, thaw_select_optimizer(model, "dense3", adam));
        assert_ok(context, support_step(model, BATCH, 2, NULL, NULL));
        cr_assert_not_null(thaw_parameter_state(any_weight(model), "exp_avg"), "after %d changes", changes);
        cr_assert_eq(thaw_parameter_steps(any_weight(model)), 1);
        thaw_optimizer_destroy(plain);
        thaw_optimizer_destroy(adam);
        thaw_model_destroy(model);
        thaw_context_destroy(context);
    }
}

Test(optimizers, momentum_that_is_switched_on_gets_its_buffer)
{
    thaw_context *context = support_context(1);
    thaw_model *model = support_network(context, false);
    thaw_optimizer *optimizer = make(context, "sgd:lr=0.1");
    assert_ok(context, thaw_select_optimizer(model, "*", optimizer));
    assert_ok(context, support_step(model, BATCH, 1, NULL, NULL));
    cr_assert_null(thaw_parameter_state(any_weight(model), "momentum_buffer"));
    assert_ok(context, thaw_optimizer_set(optimizer, "momentum", 0.9));
    assert_ok(context, support_step(model, BATCH, 2, NULL, NULL));
    const float *buffer = thaw_parameter_state(any_weight(model), "momentum_buffer");
    const float *gradient = thaw_parameter_gradient(any_weight(model));
    cr_assert_not_null(buffer);
    for (size_t i = 0; i < thaw_shape_count(thaw_parameter_shape(any_weight(model))); i++)
        cr_assert(buffer[i] == gradient[i]);
    thaw_optimizer_destroy(optimizer);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* The group's own rate times the step's factor; the optimizer's where the group has none. */
Test(optimizers, rates_of_groups_and_steps_multiply)
{
    thaw_context *context = support_context(1);
    thaw_model *model = support_network(context, false);
    support_optimize(model, "sgd:lr=0.5");
    assert_ok(context, thaw_select_learning_rate(model, "dense3", 0.125));
    const thaw_parameter *own = thaw_model_find_parameter(model, "dense3.bias");
    const thaw_parameter *common = thaw_model_find_parameter(model, "dense2.bias");
    const float own_before = thaw_parameter_data(own)[0], common_before = thaw_parameter_data(common)[0];
    assert_ok(context, support_step(model, BATCH, 1, &(thaw_step_options){ .rate_factor = 0.5 }, NULL));
    cr_assert(thaw_parameter_data(own)[0] == own_before - 0.0625F * thaw_parameter_gradient(own)[0]);
    cr_assert(thaw_parameter_data(common)[0] == common_before - 0.25F * thaw_parameter_gradient(common)[0]);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
