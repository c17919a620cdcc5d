/* A plan that is looked at takes next to no memory; what running takes comes with the first step. Plans of one model
   that run in turn do not disturb each other. */
#include <stdlib.h>
#include <string.h>

#include "core/allocation.h"
#include "core/threads.h"
#include "plan/plan.h"
#include "support/allocator.h"
#include "support/combined_network.h"
#include "support/mixed_network.h"

enum { WIDTH = 256, BATCH = 128, SMALL_BYTES = 1 << 16 };

/* Each weight, gradient and value of a batch has more than SMALL_BYTES. */
static thaw_model *wide_network(thaw_context *context)
{
    thaw_model *model;
    thaw_node x;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ 1, { WIDTH } }, &x));
    for (int i = 0; i < 4; i++)
        assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .units = WIDTH }, &x));
    assert_ok(context, thaw_softmax_cross_entropy(model, x, NULL, &x));
    assert_ok(context, thaw_lora(model, "dense2", 8, 8));
    assert_ok(context, thaw_mask(model, "dense3", NULL));
    assert_ok(context, thaw_model_freeze(model, "dense1"));
    support_optimize(model, "adam");
    return model;
}

static thaw_status step(thaw_model *model)
{
    static float samples[BATCH * WIDTH];
    static int32_t labels[BATCH];
    const thaw_tensor inputs = thaw_view_f32(samples, 2, (int64_t[]){ BATCH, WIDTH });
    const thaw_tensor targets = thaw_view_i32(labels, 1, (int64_t[]){ BATCH });
    return thaw_step(model, &inputs, &targets, NULL, NULL);
}

Test(ready, describing_allocates_nothing_large)
{
    support_allocator allocator = { 0 };
    thaw_context *context = support_context_on(&allocator);
    thaw_model *model = wide_network(context);
    allocator.largest = SMALL_BYTES;
    for (int inference = 0; inference < 2; inference++) {
        const thaw_plan *plan;
        char *text;
        assert_ok(context,
                  thaw_model_plan(model, &(thaw_plan_options){ .batch = BATCH, .inference = inference }, &plan));
        assert_ok(context, thaw_plan_describe(plan, &text));
        thaw_text_destroy(context, text);
        const thaw_plan_totals totals = thaw_plan_totals_of(plan);
        const size_t trained = inference ? 0 : 2 * (WIDTH * WIDTH + WIDTH) + WIDTH + 2 * 8 * WIDTH;
        cr_assert_eq(totals.gradient_bytes, trained * sizeof(float), "%zu", totals.gradient_bytes);
        cr_assert_eq(totals.optimizer_state_bytes, 2 * trained * sizeof(float), "%zu", totals.optimizer_state_bytes);
        cr_assert_gt(totals.activation_bytes, SMALL_BYTES);
    }
    for (size_t i = 0; i < thaw_model_parameter_count(model); i++)
        cr_assert_null(thaw_model_parameter(model, i)->gradient);
    cr_assert_eq(step(model), THAW_OUT_OF_MEMORY, "a step takes more");
    allocator.largest = 0;
    assert_ok(context, step(model));
    thaw_model_destroy(model);
    thaw_context_destroy(context);
    cr_assert_eq(allocator.live, 0);
}

/* Each allocation that the first step makes behind the compiler fails once; the plan is used all the same then. */
Test(ready, a_step_succeeds_once_there_is_memory)
{
    support_allocator allocator = { 0 };
    thaw_context *context = support_context_on(&allocator);
    thaw_model *model = wide_network(context);
    thaw_status status = THAW_OUT_OF_MEMORY;
    size_t failures = 0;
    const thaw_plan *before, *after;
    assert_ok(context, thaw_model_plan(model, &(thaw_plan_options){ .batch = BATCH }, &before));
    for (; status == THAW_OUT_OF_MEMORY; failures++) {
        allocator.fail_at = allocator.calls + failures + 1;
        status = step(model);
    }
    assert_ok(context, status);
    cr_assert_gt(failures, 10);
    assert_ok(context, thaw_model_plan(model, &(thaw_plan_options){ .batch = BATCH }, &after));
    cr_assert_eq(before, after);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
    cr_assert_eq(allocator.live, 0);
}

/* ---- in turn ---- */

/* What forces the model to compile again, and leaves it as it was. */
static void forget_plans(thaw_model *model)
{
    thaw_model_set_recompute(model, true);
    thaw_model_set_recompute(model, false);
}

/* Weights after steps of several batches, between which the model predicts. */
static float *train_in_turn(bool forgets, size_t *count, float *outputs)
{
    static float samples[3 * NETWORK_SAMPLE];
    thaw_context *context = support_context(2);
    thaw_model *model = support_combined_network(context);
    support_optimize(model, "adam:lr=0.01");
    support_fill(samples, THAW_COUNT(samples), 7);
    for (uint32_t i = 0; i < 6; i++) {
        if (forgets)
            forget_plans(model);
        assert_ok(context, support_step(model, i % 2 ? 8 : 5, i, NULL, NULL));
        if (forgets)
            forget_plans(model);
        const thaw_tensor inputs = thaw_view_f32(samples, 4, (int64_t[]){ 3, 9, 7, 2 });
        const thaw_tensor values =
            thaw_view_f32(outputs + i * (size_t)3 * NETWORK_CLASSES, 2, (int64_t[]){ 3, NETWORK_CLASSES });
        assert_ok(context, thaw_predict(model, &inputs, &values));
    }
    float *weights = support_weights(model, count);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
    return weights;
}

Test(ready, plans_that_run_in_turn_give_the_bits_of_plans_that_run_alone)
{
    enum { OUTPUTS = 6 * 3 * NETWORK_CLASSES };
    float in_turn[OUTPUTS], alone[OUTPUTS];
    size_t count;
    float *kept = train_in_turn(false, &count, in_turn), *forgotten = train_in_turn(true, &count, alone);
    cr_assert_eq(memcmp(kept, forgotten, count * sizeof(float)), 0);
    cr_assert_eq(memcmp(in_turn, alone, sizeof alone), 0);
    free(kept);
    free(forgotten);
}

/* A plan of no store, with an arena of its own. Values of expressions are the model's: they last as long as the store's
   plans, so that one of these has to be there first. */
typedef struct own_plan {
    thaw_plan *plan;
    char *arena;
} own_plan;

static own_plan make_own(thaw_model *model, int64_t batch)
{
    own_plan own;
    const thaw_thread_scope scope = thaw_threads_enter(model->context);
    assert_ok(model->context, thaw_plan_create(model, &(thaw_plan_request){ .batch = batch }, &own.plan));
    assert_ok(model->context, thaw_plan_compile(own.plan, NULL));
    assert_ok(model->context, thaw_plan_make_ready(own.plan));
    own.arena = thaw_allocate_raw(model->context, own.plan->arena_bytes);
    thaw_plan_bind(own.plan, own.arena);
    thaw_threads_leave(scope);
    return own;
}

static void release_own(own_plan own)
{
    thaw_context *context = own.plan->model->context;
    thaw_plan_release(own.plan);
    thaw_release(context, own.arena);
}

/* The plan's values for the samples are those that the model predicts for them. */
static void assert_predicts(own_plan own, thaw_model *model, const float *samples)
{
    float outputs[8 * NETWORK_CLASSES];
    const int64_t batch = own.plan->batch;
    const thaw_tensor inputs = thaw_view_f32((float *)(uintptr_t)samples, 4, (int64_t[]){ batch, 9, 7, 2 });
    const thaw_tensor values = thaw_view_f32(outputs, 2, (int64_t[]){ batch, NETWORK_CLASSES });
    const thaw_thread_scope scope = thaw_threads_enter(model->context);
    assert_ok(model->context, thaw_program_prepare(own.plan));
    thaw_program_feed_samples(own.plan, samples);
    assert_ok(model->context, thaw_program_run(own.plan, THAW_SECTION_PREFIX));
    thaw_threads_leave(scope);
    assert_ok(model->context, thaw_predict(model, &inputs, &values));
    const float *found = thaw_plan_output(own.plan, thaw_model_output(model));
    for (size_t i = 0; i < (size_t)batch * NETWORK_CLASSES; i++)
        cr_assert_eq(found[i], outputs[i], "value %zu: %g and %g", i, (double)found[i], (double)outputs[i]);
}

Test(ready, plans_with_arenas_of_their_own_follow_training)
{
    static float samples[8 * NETWORK_SAMPLE];
    thaw_context *context = support_context(2);
    thaw_model *model = support_combined_network(context);
    support_optimize(model, "sgd:lr=0.1");
    support_fill(samples, THAW_COUNT(samples), 7);
    assert_ok(context, support_step(model, 6, 9, NULL, NULL));
    const own_plan large = make_own(model, 8), small = make_own(model, 3);
    for (uint32_t i = 0; i < 4; i++) {
        assert_predicts(large, model, samples);
        assert_ok(context, support_step(model, 6, i, NULL, NULL));
        assert_predicts(small, model, samples + NETWORK_SAMPLE);
    }
    release_own(large);
    release_own(small);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
