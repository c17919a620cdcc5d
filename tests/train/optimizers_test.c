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

static const char *const followers[] = { "adam", "lamb" };

/* However the counts of changes of the two add up. */
Test(optimizers, another_kind_takes_over_with_state_of_its_own)
{
    for (int changes = 0; changes < 8; changes++) {
        thaw_context *context = support_context(1);
        thaw_model *model = support_network(context, false);
        thaw_optimizer *plain = make(context, "sgd:lr=0.1"), *follower = make(context, followers[changes % 2]);
        assert_ok(context, thaw_select_optimizer(model, "*", plain));
        for (int i = 0; i < changes / 2; i++)
            assert_ok(context, thaw_optimizer_set(plain, "lr", 0.01));
        assert_ok(context, support_step(model, BATCH, 1, NULL, NULL));
        cr_assert_null(thaw_parameter_state(any_weight(model), "exp_avg"));
        assert_ok(context, thaw_select_optimizer(model, "dense3", follower));
        assert_ok(context, support_step(model, BATCH, 2, NULL, NULL));
        cr_assert_not_null(thaw_parameter_state(any_weight(model), "exp_avg"), "after %d changes", changes / 2);
        cr_assert_eq(thaw_parameter_steps(any_weight(model)), 1);
        thaw_optimizer_destroy(plain);
        thaw_optimizer_destroy(follower);
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

/* One weight whose gradient is 1 in each step: the input, where the target is 0.5 below the output. */
typedef struct dot {
    thaw_context *context;
    thaw_model *model;
    thaw_optimizer *optimizer;
} dot;

static dot make_dot(const char *description)
{
    dot made = { .context = support_context(1) };
    thaw_node x;
    assert_ok(made.context, thaw_model_create(made.context, &made.model));
    assert_ok(made.context, thaw_input(made.model, &(thaw_shape){ .rank = 1, .dims = { 1 } }, &x));
    const thaw_dense_options options = { .name = "dot", .units = 1 };
    assert_ok(made.context, thaw_dense(made.model, x, &options, &x));
    assert_ok(made.context, thaw_mse(made.model, x, NULL, &x));
    *thaw_parameter_edit(thaw_model_find_parameter(made.model, "dot.weight")) = 0;
    *thaw_parameter_edit(thaw_model_find_parameter(made.model, "dot.bias")) = 0;
    made.optimizer = make(made.context, description);
    assert_ok(made.context, thaw_select_optimizer(made.model, "*", made.optimizer));
    assert_ok(made.context, thaw_model_freeze(made.model, "dot.bias"));
    return made;
}

static void check_weight(const dot *d, double expected)
{
    thaw_parameter *weight = thaw_model_find_parameter(d->model, "dot.weight");
    const float target = *thaw_parameter_data(weight) - 0.5F;
    const thaw_tensor inputs = thaw_view_f32((float[]){ 1 }, 2, (int64_t[]){ 1, 1 });
    const thaw_tensor targets = thaw_view_f32((float[]){ target }, 2, (int64_t[]){ 1, 1 });
    assert_ok(d->context, thaw_step(d->model, &inputs, &targets, NULL, NULL));
    cr_assert_float_eq(*thaw_parameter_gradient(weight), 1, 1e-6);
    cr_assert_float_eq(*thaw_parameter_data(weight), expected, 1e-6, "%.9g, PyTorch's %.9g",
                       (double)*thaw_parameter_data(weight), expected);
}

static void end_dot(const dot *d)
{
    thaw_optimizer_destroy(d->optimizer);
    thaw_model_destroy(d->model);
    thaw_context_destroy(d->context);
}

/* torch.optim.SGD clones the first gradient that it keeps: b = 1, then 0.9 + 0.5 = 1.4, then 1.26 + 0.5 = 1.76. */
Test(optimizers, momentum_that_is_switched_on_takes_its_first_gradient_undampened)
{
    const dot d = make_dot("sgd:lr=0.1");
    check_weight(&d, -0.1);
    assert_ok(d.context, thaw_optimizer_set(d.optimizer, "momentum", 0.9));
    assert_ok(d.context, thaw_optimizer_set(d.optimizer, "dampening", 0.5));
    check_weight(&d, -0.2);
    check_weight(&d, -0.34);
    check_weight(&d, -0.516);
    end_dot(&d);
}

/* The buffer is PyTorch's through all of this: it stays while momentum is off and while the weight is frozen. */
Test(optimizers, momentum_goes_on_with_its_buffer)
{
    const dot d = make_dot("sgd:lr=0.1");
    check_weight(&d, -0.1);
    assert_ok(d.context, thaw_optimizer_set(d.optimizer, "momentum", 0.9));
    assert_ok(d.context, thaw_optimizer_set(d.optimizer, "dampening", 0.5));
    check_weight(&d, -0.2); /* b = 1 */
    assert_ok(d.context, thaw_model_unfreeze(d.model, "dot.bias"));
    assert_ok(d.context, thaw_model_freeze(d.model, "dot.weight"));
    const thaw_tensor one = thaw_view_f32((float[]){ 1 }, 2, (int64_t[]){ 1, 1 });
    assert_ok(d.context, thaw_step(d.model, &one, &one, NULL, NULL));
    assert_ok(d.context, thaw_model_unfreeze(d.model, "dot.weight"));
    assert_ok(d.context, thaw_model_freeze(d.model, "dot.bias"));
    *thaw_parameter_edit(thaw_model_find_parameter(d.model, "dot.bias")) = 0;
    check_weight(&d, -0.34); /* b = 0.9 + 0.5 */
    assert_ok(d.context, thaw_optimizer_set(d.optimizer, "momentum", 0));
    check_weight(&d, -0.44);
    assert_ok(d.context, thaw_optimizer_set(d.optimizer, "momentum", 0.9));
    check_weight(&d, -0.616); /* b = 1.26 + 0.5 */
    assert_ok(d.context, thaw_select_release_state(d.model, "dot"));
    check_weight(&d, -0.716); /* b = 1 */
    end_dot(&d);
}
