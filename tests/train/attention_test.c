/* Attention between layers of which some are frozen, and in steps of several shards. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan/plan.h"
#include "support/network.h"

enum { BATCH = 4, STEPS = 30, WIDTH = 8, QKV = 3 * WIDTH, SAMPLE = STEPS * WIDTH };

/* Cross-attention: the queries are the input's, keys and values those of a layer of its own. */
static thaw_model *build(thaw_context *context, double dropout)
{
    thaw_model *model;
    thaw_node x, memory, rows[3];
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ 2, { STEPS, WIDTH } }, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "qkv", .units = QKV }, &x));
    const thaw_attention_options own = { .name = "own", .heads = 2, .causal = true, .dropout = dropout };
    assert_ok(context, thaw_attention(model, &x, 1, &own, &x));
    assert_ok(context, thaw_dense(model, 0, &(thaw_dense_options){ .name = "memory", .units = WIDTH }, &memory));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "query", .units = WIDTH }, &rows[0]));
    rows[1] = rows[2] = memory;
    assert_ok(context, thaw_attention(model, rows, 3, &(thaw_attention_options){ .name = "cross", .heads = 4 }, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "last", .units = WIDTH }, &x));
    assert_ok(context, thaw_mse(model, x, NULL, &x));
    support_optimize(model, "sgd:lr=0.1");
    return model;
}

static thaw_status step(thaw_model *model, int64_t shards, thaw_step_result *result)
{
    static float samples[BATCH * SAMPLE], targets[BATCH * SAMPLE];
    support_fill(samples, BATCH * SAMPLE, 5);
    support_fill(targets, BATCH * SAMPLE, 6);
    const int64_t dims[] = { BATCH, STEPS, WIDTH };
    const thaw_tensor from = thaw_view_f32(samples, 3, dims), to = thaw_view_f32(targets, 3, dims);
    return thaw_step(model, &from, &to, &(thaw_step_options){ .shards = shards }, result);
}

static const char *const groups[] = { "qkv", "memory", "query", "last" };
enum { GROUPS = 4 };

/* Each group's weight after a step in which only some train. */
static void train(unsigned trainable, float *weights[GROUPS])
{
    thaw_context *context = support_context(2);
    thaw_model *model = build(context, 0);
    for (size_t i = 0; i < GROUPS; i++)
        if (!(trainable >> i & 1))
            assert_ok(context, thaw_model_freeze(model, groups[i]));
    assert_ok(context, step(model, 0, NULL));
    for (size_t i = 0; i < GROUPS; i++) {
        char name[32];
        snprintf(name, sizeof name, "%s.weight", groups[i]);
        const thaw_parameter *weight = thaw_model_find_parameter(model, name);
        const size_t bytes = thaw_shape_count(thaw_parameter_shape(weight)) * sizeof(float);
        weights[i] = memcpy(malloc(bytes), thaw_parameter_data(weight), bytes);
    }
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(attention, trains_as_ever_whatever_is_frozen)
{
    float *all[GROUPS], *some[GROUPS];
    thaw_context *context = support_context(1);
    thaw_model *model = build(context, 0);
    train((1U << GROUPS) - 1, all);
    for (unsigned trainable = 1; trainable + 1 < 1U << GROUPS; trainable++) {
        train(trainable, some);
        for (size_t i = 0; i < GROUPS; i++) {
            char name[32];
            snprintf(name, sizeof name, "%s.weight", groups[i]);
            const thaw_parameter *weight = thaw_model_find_parameter(model, name);
            const size_t count = thaw_shape_count(thaw_parameter_shape(weight));
            if (trainable >> i & 1)
                assert_close(some[i], all[i], count, 1e-6, name);
            else
                cr_assert(memcmp(some[i], thaw_parameter_data(weight), count * sizeof(float)) == 0, "%s moved", name);
            cr_assert(memcmp(all[i], thaw_parameter_data(weight), count * sizeof(float)) != 0, "%s rests", name);
            free(some[i]);
        }
    }
    for (size_t i = 0; i < GROUPS; i++)
        free(all[i]);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

static const thaw_plan_node *find(const thaw_plan *plan, const char *name)
{
    for (size_t i = 0; i < plan->model->node_count; i++)
        if (plan->model->nodes[i].name && strcmp(plan->model->nodes[i].name, name) == 0)
            return &plan->nodes[i];
    cr_assert(false, "%s is not a node", name);
    return NULL;
}

/* In a frozen prefix nothing is kept for backward. */
Test(attention, keeps_nothing_where_it_is_frozen)
{
    thaw_context *context = support_context(1);
    thaw_model *model = build(context, 0.5);
    const thaw_plan *plan;
    assert_ok(context, thaw_model_plan(model, &(thaw_plan_options){ .batch = BATCH }, &plan));
    cr_assert_eq(find(plan, "own")->needs.workspace_bytes, BATCH * 2 * STEPS * sizeof(float));
    cr_assert_eq(find(plan, "cross")->needs.workspace_bytes, BATCH * 4 * STEPS * sizeof(float));
    assert_ok(context, thaw_model_freeze(model, "qkv"));
    assert_ok(context, thaw_model_plan(model, &(thaw_plan_options){ .batch = BATCH }, &plan));
    cr_assert_eq(find(plan, "own")->needs.workspace_bytes, 0);
    assert_ok(context, thaw_model_freeze(model, "memory|query"));
    assert_ok(context, thaw_model_plan(model, &(thaw_plan_options){ .batch = BATCH }, &plan));
    cr_assert_eq(find(plan, "cross")->needs.workspace_bytes, 0);
    cr_assert(!find(plan, "cross")->needs.keeps_inputs && !find(plan, "cross")->needs.keeps_output);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* A step in shards drops what the whole step drops: a sample's numbers depend on its place in the step. */
Test(attention, drops_the_same_in_shards)
{
    double losses[2];
    for (int i = 0; i < 2; i++) {
        thaw_context *context = support_context(2);
        thaw_model *model = build(context, 0.5);
        thaw_step_result result;
        assert_ok(context, step(model, i ? 4 : 1, &result));
        losses[i] = result.loss;
        thaw_model_destroy(model);
        thaw_context_destroy(context);
    }
    cr_assert(losses[0] > 0 && losses[1] < losses[0] * (1 + 1e-6) && losses[1] > losses[0] * (1 - 1e-6),
              "%.9g and %.9g", losses[0], losses[1]);
}
