/* When plans are compiled, and when they are forgotten. */
#include <omp.h>

#include "support/plans.h"

static size_t prepared; /* kernels so far */

static thaw_status prepare_counted(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    prepared++;
    return toy_scale.prepare(demand, needs);
}

/* Counted layers a and b, and a loss. */
static thaw_model *two_layers(thaw_context *context)
{
    static thaw_layer_module counted;
    counted = toy_scale;
    counted.prepare = prepare_counted;
    thaw_model *model = toy_model(context, 3);
    toy_append(model, &counted, "a", 0, -1);
    toy_append(model, &counted, "b", 1, -1);
    toy_append(model, &toy_quadratic, "loss", 2, -1);
    return model;
}

static thaw_optimizer *optimize(thaw_model *model, const char *description)
{
    thaw_context *context = thaw_model_context(model);
    thaw_optimizer *optimizer;
    assert_ok(context, thaw_optimizer_create(context, description, &optimizer));
    assert_ok(context, thaw_select_optimizer(model, "*", optimizer));
    thaw_optimizer_destroy(optimizer);
    return optimizer;
}

static const thaw_plan *plan_for(thaw_model *model, int64_t batch)
{
    const thaw_plan *plan = NULL;
    assert_ok(thaw_model_context(model), thaw_model_plan(model, &(thaw_plan_options){ .batch = batch }, &plan));
    return plan;
}

/* Whether asking for the plan, or taking a step, compiles. */
static bool compiles(thaw_model *model, int64_t batch)
{
    const size_t before = prepared;
    plan_for(model, batch);
    return prepared != before;
}

#define ASSERT_COMPILES(model, call, expected)                                           \
    do {                                                                                 \
        cr_assert_not(compiles(model, 2), "before %s the plan is stale already", #call); \
        assert_ok(thaw_model_context(model), call);                                      \
        cr_assert_eq(compiles(model, 2), expected, "%s %s", #call,                       \
                     (expected) ? "leaves the plan as it is" : "makes the plan stale");  \
    } while (0)

Test(store, plans_are_stale_after_what_they_were_compiled_from_has_changed)
{
    thaw_context *context = support_context(1);
    thaw_model *model = two_layers(context);
    thaw_optimizer *optimizer = optimize(model, "sgd:lr=0.5"), *same, *other;
    assert_ok(context, thaw_optimizer_create(context, "sgd:momentum=0.5", &same));
    assert_ok(context, thaw_optimizer_create(context, "adam", &other));
    cr_assert(compiles(model, 2));
    ASSERT_COMPILES(model, thaw_model_freeze(model, "a"), true);
    ASSERT_COMPILES(model, thaw_model_unfreeze(model, "a.factor"), true);
    ASSERT_COMPILES(model, thaw_model_freeze_before(model, "b"), true);
    ASSERT_COMPILES(model, thaw_optimizer_set(optimizer, "momentum", 0.5), true);
    ASSERT_COMPILES(model, thaw_select_optimizer(model, "a", same), true);
    ASSERT_COMPILES(model, thaw_select_optimizer(model, "*", other), true);
    ASSERT_COMPILES(model, thaw_select_release_state(model, "a"), true);
    ASSERT_COMPILES(model, thaw_model_reset(model, "b"), true);
    thaw_optimizer_destroy(same);
    thaw_optimizer_destroy(other);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* However the counts of changes of the two add up. */
Test(store, plans_are_stale_when_a_changed_optimizer_gives_way_to_one_that_never_was)
{
    for (int changes = 0; changes < 4; changes++) {
        thaw_context *context = support_context(1);
        thaw_model *model = two_layers(context);
        thaw_optimizer *optimizer = optimize(model, "sgd");
        for (int i = 0; i < changes; i++)
            assert_ok(context, thaw_optimizer_set(optimizer, "momentum", i % 2 ? 0 : 0.5));
        assert_ok(context, toy_step(model, 2, 1, NULL));
        optimize(model, "adam");
        assert_ok(context, toy_step(model, 2, 1, NULL));
        cr_assert_not_null(thaw_parameter_state(thaw_model_parameter(model, 0), "exp_avg"), "after %d changes",
                           changes);
        thaw_model_destroy(model);
        thaw_context_destroy(context);
    }
}

Test(store, plans_stay_after_changes_of_values)
{
    thaw_context *context = support_context(1);
    thaw_model *model = two_layers(context);
    thaw_optimizer *optimizer = optimize(model, "sgd:lr=0.5,momentum=0.5");
    cr_assert(compiles(model, 2));
    ASSERT_COMPILES(model, thaw_select_learning_rate(model, "a", 0.25), false);
    ASSERT_COMPILES(model, thaw_select_weight_decay(model, "a", 0.25), false);
    ASSERT_COMPILES(model, thaw_optimizer_set(optimizer, "lr", 0.125), false);
    ASSERT_COMPILES(model, thaw_optimizer_set(optimizer, "momentum", 0.75), false);
    ASSERT_COMPILES(model, toy_step(model, 2, 1, NULL), false);
    thaw_parameter_edit(thaw_model_parameter(model, 0))[0] = 3;
    cr_assert_not(compiles(model, 2));
    assert_fails(context, thaw_model_freeze(model, "x"), THAW_NOT_FOUND, "x");
    assert_fails(context, thaw_model_reset(model, "["), THAW_INVALID_ARGUMENT, "[");
    assert_fails(context, thaw_select_release_state(model, "x"), THAW_NOT_FOUND, "x");
    assert_fails(context, thaw_select_optimizer(model, "x", optimizer), THAW_NOT_FOUND, "x");
    cr_assert_not(compiles(model, 2), "a call that failed has changed nothing");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(store, a_changed_rate_counts_in_the_next_step)
{
    thaw_context *context = support_context(1);
    thaw_model *model = two_layers(context);
    thaw_optimizer *optimizer = optimize(model, "sgd:lr=0");
    const float before = toy_value(model, "a.factor");
    assert_ok(context, toy_step(model, 2, 1, NULL));
    cr_assert_eq(toy_value(model, "a.factor"), before);
    assert_ok(context, thaw_optimizer_set(optimizer, "lr", 0.5));
    assert_ok(context, toy_step(model, 2, 1, NULL));
    const float gradient = thaw_parameter_gradient(thaw_model_find_parameter(model, "a.factor"))[0];
    cr_assert_eq(toy_value(model, "a.factor"), before - 0.5F * gradient);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(store, appending_makes_another_network)
{
    thaw_context *context = support_context(1);
    thaw_model *model = toy_model(context, 3);
    const int64_t dims[] = { 1, 3 };
    const float sample[] = { 1, 2, 3 };
    float output[3];
    const thaw_tensor inputs = thaw_view_f32(sample, 2, dims), outputs = thaw_view_f32(output, 2, dims);
    toy_append(model, &toy_pass, NULL, 0, -1);
    assert_ok(context, thaw_predict(model, &inputs, &outputs));
    assert_close(output, sample, 3, 0, "through an identity");
    for (thaw_node i = 1; i < 20; i++)
        toy_append(model, &toy_sum, NULL, i, i);
    assert_ok(context, thaw_predict(model, &inputs, &outputs));
    assert_close(output, (const float[]){ 0x1p19F, 0x1p20F, 3 * 0x1p19F }, 3, 0, "doubled 19 times");
    toy_append(model, &toy_quadratic, NULL, 0, -1);
    assert_ok(context, thaw_predict(model, &inputs, &outputs));
    assert_close(output, sample, 3, 0, "of the loss's input");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* ---- several plans ---- */

Test(store, keeps_plans_for_several_batch_sizes)
{
    thaw_context *context = support_context(1);
    thaw_model *model = two_layers(context);
    const thaw_step_options gradients_only = { .gradients_only = true };
    float gradients[4];
    for (int round = 0; round < 2; round++) {
        const size_t before = prepared;
        for (int64_t batch = 1; batch <= 4; batch++) {
            assert_ok(context, toy_step(model, batch * batch * 40, 7, &gradients_only));
            const float gradient = thaw_parameter_gradient(thaw_model_parameter(model, 0))[0];
            if (round == 0)
                gradients[batch - 1] = gradient;
            cr_assert_eq(gradient, gradients[batch - 1], "batch %ld after the arena has grown", (long)batch);
        }
        cr_assert_eq(prepared - before, round ? 0 : 8, "round %d: %zu kernels", round, prepared - before);
    }
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(store, forgets_the_plan_that_was_not_used_for_longest)
{
    thaw_context *context = support_context(1);
    thaw_model *model = two_layers(context);
    for (int64_t batch = 1; batch <= 6; batch++)
        cr_assert(compiles(model, batch));
    cr_assert_not(compiles(model, 1), "used again: 2 is the oldest now");
    cr_assert(compiles(model, 7));
    for (int64_t batch = 3; batch <= 7; batch++)
        cr_assert_not(compiles(model, batch), "batch %ld", (long)batch);
    cr_assert_not(compiles(model, 1));
    cr_assert(compiles(model, 2));
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* libgomp's entry point for a parallel region, which is there with clang, too, whose pragmas would bring another
   runtime. */
extern void GOMP_parallel(void (*body)(void *), void *argument, unsigned threads, unsigned flags);

static void step_once(void *argument)
{
    thaw_model *model = argument;
    if (omp_get_thread_num() == 0)
        for (int64_t batch = 1; batch <= 6; batch++)
            toy_step(model, batch, 1, &(thaw_step_options){ .gradients_only = true });
}

/* What alternates between regions of the host and outside of them, with several batch sizes, compiles once. */
Test(store, keeps_as_many_plans_inside_a_region_as_outside)
{
    thaw_context *context = support_context(2);
    thaw_model *model = two_layers(context);
    for (int round = 0; round < 3; round++) {
        const size_t before = prepared;
        step_once(model);
        GOMP_parallel(step_once, model, 2, 0);
        cr_assert_eq(prepared - before, round ? 0 : 2 * 6 * 2, "round %d: %zu kernels", round, prepared - before);
    }
    cr_assert(compiles(model, 7));
    cr_assert_not(compiles(model, 2), "1 was the oldest");
    cr_assert(compiles(model, 1));
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(store, knows_training_from_inference)
{
    thaw_context *context = support_context(1);
    thaw_model *model = two_layers(context);
    const thaw_plan *training = plan_for(model, 2), *inference = NULL;
    assert_ok(context, thaw_model_plan(model, &(thaw_plan_options){ .batch = 2, .inference = true }, &inference));
    cr_assert_neq(training, inference);
    cr_assert_eq(training, plan_for(model, 2));
    cr_assert_eq(thaw_plan_totals_of(training).backward_kernels, 3);
    cr_assert_eq(thaw_plan_totals_of(inference).backward_kernels, 0);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* ---- state across plans ---- */

static uint64_t steps_of(thaw_model *model, const char *parameter)
{
    return thaw_parameter_steps(thaw_model_find_parameter(model, parameter));
}

static float momentum_of(thaw_model *model, const char *parameter)
{
    const float *buffer = thaw_parameter_state(thaw_model_find_parameter(model, parameter), "momentum_buffer");
    cr_assert_not_null(buffer, "no momentum of %s", parameter);
    return buffer[0];
}

Test(store, state_is_made_for_what_trains_and_kept_while_it_is_frozen)
{
    thaw_context *context = support_context(1);
    thaw_model *model = two_layers(context);
    const thaw_parameter *a = thaw_model_find_parameter(model, "a.factor");
    optimize(model, "sgd:lr=0.5,momentum=0.5,weight_decay=0.5");
    assert_ok(context, thaw_model_freeze(model, "a"));
    assert_ok(context, toy_step(model, 2, 1, NULL));
    cr_assert_null(thaw_parameter_state(a, "momentum_buffer"), "it never trained");
    cr_assert_null(thaw_parameter_gradient(a));
    cr_assert_eq(thaw_plan_totals_of(plan_for(model, 2)).optimizer_state_bytes, sizeof(float));
    assert_ok(context, thaw_model_unfreeze(model, "a"));
    assert_ok(context, toy_step(model, 2, 2, NULL));
    cr_assert_eq(steps_of(model, "a.factor"), 1);
    cr_assert_eq(steps_of(model, "b.factor"), 2);
    cr_assert_not_null(thaw_parameter_gradient(a));
    assert_ok(context, thaw_model_freeze(model, "a"));
    cr_assert_null(thaw_parameter_gradient(a), "before the next step, too");
    const float value = toy_value(model, "a.factor"), momentum = momentum_of(model, "a.factor");
    for (uint32_t i = 0; i < 3; i++)
        assert_ok(context, toy_step(model, 2, i, NULL));
    cr_assert_eq(toy_value(model, "a.factor"), value);
    cr_assert_eq(momentum_of(model, "a.factor"), momentum);
    cr_assert_null(thaw_parameter_gradient(a));
    assert_ok(context, thaw_model_unfreeze(model, "a"));
    assert_ok(context, toy_step(model, 2, 5, NULL));
    cr_assert_eq(steps_of(model, "a.factor"), 2);
    cr_assert_eq(steps_of(model, "b.factor"), 6);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
