/* Compiling leaves the model as it was, so that plans of several states of it live side by side. */
#include <stdlib.h>
#include <string.h>

#include "params/expression.h"
#include "plan/plan.h"
#include "support/combined_network.h"
#include "support/mixed_network.h"

enum { STEPS = 3, MOST_BYTES = 1 << 20 };

/* The bytes of a model, its groups, parameters, expressions and nodes, pointers and all, but for its plans. */
typedef struct snapshot {
    unsigned char bytes[MOST_BYTES];
    size_t count;
} snapshot;

static void add(snapshot *to, const void *bytes, size_t count)
{
    cr_assert_leq(to->count + count, MOST_BYTES);
    memcpy(to->bytes + to->count, bytes, count);
    to->count += count;
}

static snapshot *take(const thaw_model *model)
{
    snapshot *taken = calloc(1, sizeof *taken);
    thaw_model copy = *model;
    copy.plans = NULL;
    copy.release_plans = NULL;
    add(taken, &copy, sizeof copy);
    add(taken, model->nodes, model->node_count * sizeof *model->nodes);
    for (size_t i = 0; i < model->parameters.group_count; i++)
        add(taken, model->parameters.groups[i], sizeof *model->parameters.groups[i]);
    for (size_t i = 0; i < model->parameters.parameter_count; i++) {
        const thaw_parameter *parameter = model->parameters.parameters[i];
        add(taken, parameter, sizeof *parameter);
        add(taken, parameter->data, parameter->count * sizeof(float));
        add(taken, parameter->stored, sizeof *parameter->stored);
    }
    for (size_t i = 0; i < model->parameters.expression_count; i++)
        add(taken, model->parameters.expressions[i], sizeof *model->parameters.expressions[i]);
    return taken;
}

/* Asserts that the model is as it was, and frees what is known of that. */
static void assert_unchanged(const thaw_model *model, snapshot *before)
{
    snapshot *after = take(model);
    cr_assert_eq(before->count, after->count);
    for (size_t i = 0; i < before->count; i++)
        cr_assert_eq(before->bytes[i], after->bytes[i], "byte %zu of the model has changed", i);
    free(before);
    free(after);
}

static thaw_plan *compile(thaw_model *model, int64_t batch, bool training, thaw_cache_budget cache)
{
    thaw_plan *plan;
    snapshot *before = take(model);
    const thaw_plan_request request = { .batch = batch, .training = training, .cache = cache, .shards = 1 };
    assert_ok(model->context, thaw_plan_create(model, &request, &plan));
    assert_ok(model->context, thaw_plan_compile(plan, NULL));
    assert_unchanged(model, before);
    return plan;
}

/* Everything that can be asked of a plan. */
static void describe(thaw_model *model, bool inference)
{
    thaw_context *context = thaw_model_context(model);
    const thaw_plan *plan;
    char *text;
    snapshot *before = take(model);
    assert_ok(context, thaw_model_plan(model, &(thaw_plan_options){ .batch = 5, .inference = inference }, &plan));
    assert_ok(context, thaw_plan_describe(plan, &text));
    thaw_text_destroy(context, text);
    assert_ok(context, thaw_plan_program(plan, &text));
    thaw_text_destroy(context, text);
    assert_unchanged(model, before);
}

static void check_side_by_side(thaw_model *model, const char *frozen)
{
    thaw_context *context = thaw_model_context(model);
    const thaw_cache_budget none = { 0 }, small = { .sample_bytes = 8 };
    support_optimize(model, "sgd:lr=0.01");
    thaw_plan *all = compile(model, 5, true, none), *evaluation = compile(model, 3, false, none);
    const size_t trained = all->trained_count, instructions = all->program.count, arena = all->arena_bytes;
    char *before, *after;
    assert_ok(context, thaw_plan_program(all, &before));
    assert_ok(context, thaw_model_freeze(model, frozen));
    thaw_plan *some = compile(model, 4, true, none), *cut = compile(model, 4, true, small);
    cr_assert_lt(some->trained_count, trained);
    cr_assert_lt(some->program.count, instructions);
    cr_assert_eq(all->trained_count, trained);
    cr_assert_eq(all->arena_bytes, arena);
    assert_ok(context, thaw_plan_program(all, &after));
    cr_assert_str_eq(before, after);
    thaw_text_destroy(context, before);
    thaw_text_destroy(context, after);
    thaw_plan_release(all);
    thaw_plan_release(evaluation);
    thaw_plan_release(some);
    thaw_plan_release(cut);
}

Test(passes, describing_leaves_the_model_as_it_was)
{
    thaw_context *context = support_context(2);
    thaw_model *models[] = { support_network(context, true), support_combined_network(context),
                             support_mixed_network(context) };
    const char *const frozen[] = { "conv*", "conv*|dense2|norm", "conv1|norm|lstm" };
    for (size_t i = 0; i < THAW_COUNT(models); i++) {
        support_optimize(models[i], "adam");
        describe(models[i], false);
        describe(models[i], true);
        assert_ok(context, thaw_model_freeze(models[i], frozen[i]));
        describe(models[i], false);
        describe(models[i], true);
        thaw_model_destroy(models[i]);
    }
    thaw_context_destroy(context);
}

Test(passes, leave_the_model_as_it_was)
{
    thaw_context *context = support_context(2);
    thaw_model *model = support_network(context, true);
    check_side_by_side(model, "conv*");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(passes, leave_a_model_with_expressions_as_it_was)
{
    thaw_context *context = support_context(2);
    thaw_model *model = support_combined_network(context);
    check_side_by_side(model, "conv*|dense2|norm");
    thaw_model_destroy(model);
    model = support_mixed_network(context);
    check_side_by_side(model, "conv1|norm|lstm");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* The weights after some steps, between which plans for other batches and budgets are compiled, or not. */
static float *train(bool compiles, size_t *count)
{
    thaw_context *context = support_context(2);
    thaw_model *model = support_combined_network(context);
    support_optimize(model, "adam:lr=0.01");
    for (uint32_t step = 0; step < STEPS; step++) {
        thaw_step_result result;
        assert_ok(context, support_step(model, 8, step, NULL, &result));
        const thaw_plan *shown;
        if (!compiles)
            continue;
        thaw_plan_release(compile(model, 4, true, (thaw_cache_budget){ .sample_bytes = 8 }));
        assert_ok(context, thaw_model_plan(model, &(thaw_plan_options){ .batch = 8, .cache_sample_bytes = 8 }, &shown));
        assert_ok(context, thaw_model_plan(model, &(thaw_plan_options){ .batch = 2, .inference = true }, &shown));
    }
    float *weights = support_weights(model, count);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
    return weights;
}

Test(passes, of_other_plans_change_no_bit_of_training)
{
    size_t count;
    float *alone = train(false, &count), *beside = train(true, &count);
    cr_assert_eq(memcmp(alone, beside, count * sizeof(float)), 0);
    free(alone);
    free(beside);
}

/* In the order of the table, each by its name. */
Test(passes, run_up_to_the_one_that_is_named)
{
    thaw_context *context = support_context(1);
    thaw_model *model = support_network(context, false);
    thaw_plan *plan;
    for (size_t i = 0; i < thaw_pass_count; i++)
        for (size_t k = 0; k < i; k++)
            cr_assert_str_neq(thaw_passes[i].name, thaw_passes[k].name);
    assert_ok(context, thaw_plan_create(model, &(thaw_plan_request){ .batch = 2, .training = true }, &plan));
    assert_ok(context, thaw_plan_compile(plan, "kernels"));
    cr_assert(plan->nodes[1].prepared);
    cr_assert_null(plan->requests, "buffers come later");
    thaw_plan_release(plan);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
