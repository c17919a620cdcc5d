/* Random networks with random freezing: what a plan computes, against the definition in double precision and its finite
   differences. Any error in sharing, fusing, writing in place or adding shows here. */
#include <math.h>
#include <string.h>

#include "plan/drawn_network.h"
#include "plan/store.h"
#include "support/fusing_toys.h"
#include "train/batch.h"

enum { NETWORKS = 200, FUSING_NETWORKS = 3000 };

static const thaw_layer_module *const kinds[] = { &toy_scale, &toy_scale, &toy_center,  &toy_sum,
                                                  &toy_sum,   &toy_pass,  &toy_product, &toy_curve,
                                                  &toy_relu,  &toy_bias,  &toy_constant };

/* Layers of which one kernel may do the work of several. */
static const thaw_layer_module *const fusing_kinds[] = {
    &toy_linear, &toy_linear, &toy_linear, &toy_whole, &toy_whole, &toy_map,  &toy_map,  &toy_map,
    &toy_join,   &toy_join,   &toy_join,   &toy_relu,  &toy_relu,  &toy_pass, &toy_curve
};

static void assert_outputs(thaw_model *model, const drawn_network *n, uint64_t seed)
{
    const int64_t dims[] = { DRAWN_BATCH, DRAWN_WIDTH };
    float outputs[DRAWN_COUNT];
    double expected[DRAWN_COUNT];
    const thaw_tensor inputs = thaw_view_f32(n->samples, 2, dims), written = thaw_view_f32(outputs, 2, dims);
    assert_ok(thaw_model_context(model), thaw_predict(model, &inputs, &written));
    drawn_loss(n, expected);
    for (size_t i = 0; i < DRAWN_COUNT; i++)
        cr_assert(fabs((double)outputs[i] - expected[i]) <= 1e-5 * fmax(1, fabs(expected[i])),
                  "network %lu: output %zu is %g, wanted %g", (unsigned long)seed, i, (double)outputs[i], expected[i]);
}

static void assert_gradients(thaw_model *model, const drawn_network *n, uint64_t seed)
{
    for (size_t i = 1; i < n->count; i++) {
        if (!drawn_has_factor(n->module[i]))
            continue;
        const float *gradient = thaw_parameter_gradient(thaw_group_parameter(drawn_group(model, i), 0));
        if (n->frozen[i] || !n->used[i]) {
            cr_assert_null(gradient, "network %lu: node %zu has a gradient", (unsigned long)seed, i);
            continue;
        }
        const double expected = drawn_gradient(n, i);
        cr_assert_not_null(gradient, "network %lu: node %zu has no gradient", (unsigned long)seed, i);
        cr_assert(fabs((double)*gradient - expected) <= 1e-4 * fmax(1, fabs(expected)),
                  "network %lu: the gradient of node %zu is %g, wanted %g", (unsigned long)seed, i, (double)*gradient,
                  expected);
    }
}

static void assert_step(thaw_model *model, const drawn_network *n, uint64_t seed)
{
    const int64_t dims[] = { DRAWN_BATCH, DRAWN_WIDTH };
    const thaw_tensor inputs = thaw_view_f32(n->samples, 2, dims), targets = thaw_view_f32(n->targets, 2, dims);
    const thaw_step_options gradients_only = { .gradients_only = true };
    thaw_context *context = thaw_model_context(model);
    thaw_step_result result;
    double outputs[DRAWN_COUNT];
    if (!drawn_trains(n)) {
        assert_fails(context, thaw_step(model, &inputs, &targets, &gradients_only, &result), THAW_NOTHING_TRAINABLE,
                     "frozen");
        return;
    }
    assert_ok(context, thaw_step(model, &inputs, &targets, &gradients_only, &result));
    const double expected = drawn_loss(n, outputs);
    cr_assert(fabs(result.loss - expected) <= 1e-5 * fmax(1, expected), "network %lu: the loss is %g, wanted %g",
              (unsigned long)seed, result.loss, expected);
    assert_gradients(model, n, seed);
}

/* ---- from kept features ---- */

static void keep_features(void *argument, const thaw_plan *plan)
{
    float *next = argument;
    for (size_t i = 0; i < plan->prefix_count; i++) {
        if (!plan->nodes[plan->order[i]].boundary)
            continue;
        memcpy(next, thaw_plan_output(plan, plan->order[i]), DRAWN_COUNT * sizeof *next);
        next += DRAWN_COUNT;
    }
}

/* Copies the first element of every gradient; NAN where there is none. */
static void copy_gradients(thaw_model *model, float gradients[2 * DRAWN_MOST])
{
    for (size_t i = 0; i < thaw_model_parameter_count(model); i++) {
        const float *gradient = thaw_parameter_gradient(thaw_model_parameter(model, i));
        gradients[i] = gradient ? *gradient : NAN;
    }
}

/* A step that starts at what the prefix gave before, as the feature cache does, equals the whole step to the bit. */
static void assert_step_from_features(thaw_model *model, const drawn_network *n, uint64_t seed)
{
    thaw_context *context = thaw_model_context(model);
    const thaw_step_options gradients_only = { .gradients_only = true };
    float features[DRAWN_MOST * DRAWN_COUNT], expected[2 * DRAWN_MOST] = { 0 }, found[2 * DRAWN_MOST] = { 0 };
    thaw_step_result whole, cached;
    thaw_plan *plan;
    assert_ok(context, thaw_plan_find(model, DRAWN_BATCH, true, &plan));
    if (thaw_plan_cache_bytes(plan) == 0)
        return;
    thaw_training_batch batch = { .count = DRAWN_BATCH,
                                  .samples = n->samples,
                                  .targets = n->targets,
                                  .on_prefix = keep_features,
                                  .argument = features };
    assert_ok(context, thaw_train_batch(plan, &batch, &gradients_only, 1, &whole));
    copy_gradients(model, expected);
    batch = (thaw_training_batch){ .count = DRAWN_BATCH, .features = features, .targets = n->targets };
    assert_ok(context, thaw_train_batch(plan, &batch, &gradients_only, 1, &cached));
    copy_gradients(model, found);
    cr_assert_eq(cached.loss, whole.loss, "network %lu: the loss from features is %g, wanted %g", (unsigned long)seed,
                 cached.loss, whole.loss);
    cr_assert_eq(memcmp(found, expected, sizeof found), 0, "network %lu: gradients from features", (unsigned long)seed);
}

/* ---- what was fused ---- */

typedef struct fused {
    size_t maps, in_place, beside, in_live_part, differentiated;
} fused;

static void count_fused(thaw_model *model, fused *counts)
{
    thaw_plan *plan;
    assert_ok(thaw_model_context(model), thaw_plan_find(model, DRAWN_BATCH, true, &plan));
    for (size_t i = 0; i < plan->order_count; i++) {
        const thaw_plan_node *node = &plan->nodes[plan->order[i]];
        counts->maps += node->epilogue.maps_channels;
        counts->in_place += node->epilogue.residual == THAW_RESIDUAL_IN_PLACE;
        counts->beside += node->epilogue.residual == THAW_RESIDUAL_BESIDE;
        counts->in_live_part += node->carries && node->epilogue.maps_channels && node->epilogue.residual;
        counts->differentiated +=
            node->carries && node->absorbed && model->nodes[plan->order[i]].capabilities->activation;
    }
}

/* The same model twice with other freezing, and an evaluation between: nothing is left over from another plan. */
static void check_network(thaw_context *context, drawn_network *n, uint64_t seed, fused *counts)
{
    thaw_model *model = drawn_model(context, n);
    assert_step(model, n, seed);
    assert_outputs(model, n, seed);
    if (drawn_trains(n)) {
        assert_step_from_features(model, n, seed);
        count_fused(model, counts);
    }
    uint64_t random = seed + NETWORKS;
    for (size_t i = 1; i < n->count; i++) {
        if (!drawn_has_factor(n->module[i]))
            continue;
        n->frozen[i] = draw_number(&random, 3) == 0;
        const char *name = thaw_group_name(drawn_group(model, i));
        assert_ok(context, n->frozen[i] ? thaw_model_freeze(model, name) : thaw_model_unfreeze(model, name));
    }
    assert_step(model, n, seed);
    if (drawn_trains(n))
        assert_step_from_features(model, n, seed);
    thaw_model_destroy(model);
}

Test(gradients, of_random_networks_equal_finite_differences)
{
    thaw_context *context = support_context(1);
    fused counts = { 0 };
    for (uint64_t seed = 0; seed < NETWORKS; seed++) {
        drawn_network n = draw_network(seed, kinds, THAW_COUNT(kinds));
        check_network(context, &n, seed, &counts);
    }
    thaw_context_destroy(context);
}

Test(gradients, of_random_networks_that_fuse_equal_finite_differences)
{
    thaw_context *context = support_context(1);
    fused counts = { 0 };
    for (uint64_t seed = 0; seed < FUSING_NETWORKS; seed++) {
        drawn_network n = draw_network(seed, fusing_kinds, THAW_COUNT(fusing_kinds));
        check_network(context, &n, seed, &counts);
    }
    thaw_context_destroy(context);
    cr_assert(counts.maps > 100 && counts.in_place > 20 && counts.beside > 100 && counts.in_live_part > 5 &&
                  counts.differentiated > 100,
              "%zu maps, %zu residuals in place, %zu beside, %zu with a map in the live part, %zu differentiated",
              counts.maps, counts.in_place, counts.beside, counts.in_live_part, counts.differentiated);
}

/* The networks would prove little if most of them were chains, or dead, or frozen. */
Test(gradients, are_tested_on_networks_that_branch)
{
    size_t branching = 0, partly_frozen = 0, with_dead_branches = 0, training = 0;
    for (uint64_t seed = 0; seed < NETWORKS; seed++) {
        const drawn_network n = draw_network(seed, kinds, THAW_COUNT(kinds));
        size_t readers[DRAWN_MOST] = { 0 };
        bool branches = false, frozen = false, dead = false;
        for (size_t i = 1; i < n.count; i++) {
            for (size_t k = 0; n.used[i] && k < drawn_inputs(n.module[i]); k++)
                branches = branches || ++readers[n.inputs[i][k]] > 1;
            frozen = frozen || (drawn_has_factor(n.module[i]) && n.used[i] && n.frozen[i]);
            dead = dead || !n.used[i];
        }
        branching += branches;
        training += drawn_trains(&n);
        partly_frozen += frozen && drawn_trains(&n);
        with_dead_branches += dead;
    }
    cr_assert_gt(branching, NETWORKS / 2, "%zu branch", branching);
    cr_assert_gt(training, NETWORKS / 2, "%zu train", training);
    cr_assert_gt(partly_frozen, NETWORKS / 4, "%zu are frozen in part", partly_frozen);
    cr_assert_gt(with_dead_branches, NETWORKS / 4, "%zu have dead branches", with_dead_branches);
}
