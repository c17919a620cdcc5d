/* Random networks with random freezing: what a plan computes, against the definition in double precision and its finite
   differences. Whatever shares, fuses, is written in place or added up wrongly shows here. */
#include <math.h>
#include <string.h>

#include "support/fusing_toys.h"
#include "support/toy_network.h"
#include "train/batch.h"

/* A batch fills a cache line to its end: whoever writes too much hits another buffer. */
enum { MOST = 13, WIDTH = 4, BATCH = 4, COUNT = WIDTH * BATCH, NETWORKS = 200, FUSING_NETWORKS = 3000 };

typedef struct network {
    size_t count; /* nodes: input, 3 to 10 layers, loss */
    const thaw_layer_module *module[MOST];
    thaw_node inputs[MOST][2];
    double factor[MOST];
    bool frozen[MOST], used[MOST];
    float samples[COUNT], targets[COUNT];
} network;

/* Knuth's MMIX constants again; a number in [0, below). */
static size_t pick(uint64_t *state, size_t below)
{
    *state = *state * 6364136223846793005U + 1442695040888963407U;
    return (size_t)(*state >> 33) % below;
}

static const thaw_layer_module *const kinds[] = { &toy_scale, &toy_scale, &toy_center,  &toy_sum,
                                                  &toy_sum,   &toy_pass,  &toy_product, &toy_curve,
                                                  &toy_relu,  &toy_bias,  &toy_constant };

/* Of what one kernel may do the work of several of. */
static const thaw_layer_module *const fusing_kinds[] = {
    &toy_linear, &toy_linear, &toy_linear, &toy_whole, &toy_whole, &toy_map,  &toy_map,  &toy_map,
    &toy_join,   &toy_join,   &toy_join,   &toy_relu,  &toy_relu,  &toy_pass, &toy_curve
};

static size_t input_count(const thaw_layer_module *module)
{
    return module->source ? 0 : module == &toy_sum || module == &toy_product || module == &toy_join ? 2 : 1;
}

static bool has_factor(const thaw_layer_module *module)
{
    return module == &toy_scale || module == &toy_center || module == &toy_bias || module == &toy_linear ||
           module == &toy_whole || module == &toy_map;
}

/* Mostly the newest node, so that much depends on each other. */
static thaw_node pick_input(uint64_t *random, size_t newest)
{
    return (thaw_node)(pick(random, 3) ? newest : pick(random, newest + 1));
}

static network draw_network(uint64_t seed, const thaw_layer_module *const *from, size_t kind_count)
{
    uint64_t random = seed;
    network drawn = { .count = 5 + pick(&random, 8) };
    const size_t loss = drawn.count - 1;
    for (size_t i = 1; i < loss; i++) {
        drawn.module[i] = from[pick(&random, kind_count)];
        drawn.inputs[i][0] = pick_input(&random, i - 1);
        drawn.inputs[i][1] = pick_input(&random, i - 1);
        drawn.frozen[i] = pick(&random, 2);
    }
    drawn.module[loss] = &toy_quadratic;
    drawn.inputs[loss][0] = (thaw_node)loss - 1;
    drawn.used[loss] = true;
    for (size_t i = loss; i > 0; i--)
        for (size_t k = 0; drawn.used[i] && k < input_count(drawn.module[i]); k++)
            drawn.used[drawn.inputs[i][k]] = true;
    support_fill(drawn.samples, COUNT, (uint32_t)seed + 1000);
    support_fill(drawn.targets, COUNT, (uint32_t)seed + 2000);
    return drawn;
}

/* ---- the definition ---- */

static double value_of(const network *n, size_t node, double a, double b)
{
    const thaw_layer_module *module = n->module[node];
    if (module->source)
        return module == &toy_bias ? n->factor[node] : 0.75;
    if (module == &toy_map)
        return n->factor[node] * (a + 1);
    if (has_factor(module))
        return n->factor[node] * a;
    if (module == &toy_sum || module == &toy_join)
        return a + b;
    if (module == &toy_product)
        return a * b;
    if (module == &toy_curve)
        return tanh(a);
    return module == &toy_relu ? fmax(a, 0) : a;
}

/* The loss; writes the output node's values. */
static double compute(const network *n, double outputs[COUNT])
{
    double loss = 0;
    for (size_t i = 0; i < COUNT; i++) {
        double values[MOST] = { (double)n->samples[i] };
        for (size_t node = 1; node < n->count - 1; node++)
            values[node] = value_of(n, node, values[n->inputs[node][0]], values[n->inputs[node][1]]);
        outputs[i] = values[n->count - 2];
        loss += pow(outputs[i] - (double)n->targets[i], 2) / 2 / BATCH;
    }
    return loss;
}

static double finite_difference(const network *n, size_t node)
{
    const double step = 1e-7; /* larger steps meet a kink of some ReLU */
    double outputs[COUNT];
    network moved = *n;
    moved.factor[node] = n->factor[node] + step;
    const double above = compute(&moved, outputs);
    moved.factor[node] = n->factor[node] - step;
    return (above - compute(&moved, outputs)) / (2 * step);
}

/* ---- the plan ---- */

/* Layers are named by their index. */
static thaw_group *group_of(thaw_model *model, size_t node)
{
    thaw_summary_entry row;
    assert_ok(thaw_model_context(model), thaw_model_summary_entry(model, node, &row));
    return thaw_model_find_group(model, row.name);
}

static thaw_model *make_model(thaw_context *context, network *n)
{
    thaw_model *model = toy_model(context, WIDTH);
    for (size_t i = 1; i < n->count; i++) {
        const size_t inputs = input_count(n->module[i]);
        toy_append(model, n->module[i], NULL, inputs > 0 ? n->inputs[i][0] : -1, inputs > 1 ? n->inputs[i][1] : -1);
        if (!has_factor(n->module[i]))
            continue;
        const thaw_group *group = group_of(model, i);
        n->factor[i] = (double)thaw_parameter_data(thaw_group_parameter(group, 0))[0];
        if (n->frozen[i])
            assert_ok(context, thaw_model_freeze(model, thaw_group_name(group)));
    }
    return model;
}

static bool anything_trains(const network *n)
{
    for (size_t i = 1; i < n->count; i++)
        if (has_factor(n->module[i]) && n->used[i] && !n->frozen[i])
            return true;
    return false;
}

static void assert_outputs(thaw_model *model, const network *n, uint64_t seed)
{
    const int64_t dims[] = { BATCH, WIDTH };
    float outputs[COUNT];
    double expected[COUNT];
    const thaw_tensor inputs = thaw_view_f32(n->samples, 2, dims), written = thaw_view_f32(outputs, 2, dims);
    assert_ok(thaw_model_context(model), thaw_predict(model, &inputs, &written));
    compute(n, expected);
    for (size_t i = 0; i < COUNT; i++)
        cr_assert(fabs((double)outputs[i] - expected[i]) <= 1e-5 * fmax(1, fabs(expected[i])),
                  "network %lu: output %zu is %g, wanted %g", (unsigned long)seed, i, (double)outputs[i], expected[i]);
}

static void assert_gradients(thaw_model *model, const network *n, uint64_t seed)
{
    for (size_t i = 1; i < n->count; i++) {
        if (!has_factor(n->module[i]))
            continue;
        const float *gradient = thaw_parameter_gradient(thaw_group_parameter(group_of(model, i), 0));
        if (n->frozen[i] || !n->used[i]) {
            cr_assert_null(gradient, "network %lu: node %zu has a gradient", (unsigned long)seed, i);
            continue;
        }
        const double expected = finite_difference(n, i);
        cr_assert_not_null(gradient, "network %lu: node %zu has no gradient", (unsigned long)seed, i);
        cr_assert(fabs((double)*gradient - expected) <= 1e-4 * fmax(1, fabs(expected)),
                  "network %lu: the gradient of node %zu is %g, wanted %g", (unsigned long)seed, i, (double)*gradient,
                  expected);
    }
}

static void assert_step(thaw_model *model, const network *n, uint64_t seed)
{
    const int64_t dims[] = { BATCH, WIDTH };
    const thaw_tensor inputs = thaw_view_f32(n->samples, 2, dims), targets = thaw_view_f32(n->targets, 2, dims);
    const thaw_step_options gradients_only = { .gradients_only = true };
    thaw_context *context = thaw_model_context(model);
    thaw_step_result result;
    double outputs[COUNT];
    if (!anything_trains(n)) {
        assert_fails(context, thaw_step(model, &inputs, &targets, &gradients_only, &result), THAW_NOTHING_TRAINABLE,
                     "frozen");
        return;
    }
    assert_ok(context, thaw_step(model, &inputs, &targets, &gradients_only, &result));
    const double expected = compute(n, outputs);
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
        memcpy(next, thaw_plan_output(plan, plan->order[i]), COUNT * sizeof *next);
        next += COUNT;
    }
}

/* Copies the first element of every gradient; NAN where there is none. */
static void copy_gradients(thaw_model *model, float gradients[2 * MOST])
{
    for (size_t i = 0; i < thaw_model_parameter_count(model); i++) {
        const float *gradient = thaw_parameter_gradient(thaw_model_parameter(model, i));
        gradients[i] = gradient ? *gradient : NAN;
    }
}

/* A step that starts at what the prefix gave before, as the feature cache does, equals the whole step to the bit. */
static void assert_step_from_features(thaw_model *model, const network *n, uint64_t seed)
{
    thaw_context *context = thaw_model_context(model);
    const thaw_step_options gradients_only = { .gradients_only = true };
    float features[MOST * COUNT], expected[2 * MOST] = { 0 }, found[2 * MOST] = { 0 };
    thaw_step_result whole, cached;
    thaw_plan *plan;
    assert_ok(context, thaw_plan_find(model, BATCH, true, &plan));
    if (thaw_plan_cache_bytes(plan) == 0)
        return;
    thaw_training_batch batch = {
        .count = BATCH, .samples = n->samples, .targets = n->targets, .on_prefix = keep_features, .argument = features
    };
    assert_ok(context, thaw_train_batch(plan, &batch, &gradients_only, 1, &whole));
    copy_gradients(model, expected);
    batch = (thaw_training_batch){ .count = BATCH, .features = features, .targets = n->targets };
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
    assert_ok(thaw_model_context(model), thaw_plan_find(model, BATCH, true, &plan));
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
static void check_network(thaw_context *context, network *n, uint64_t seed, fused *counts)
{
    thaw_model *model = make_model(context, n);
    assert_step(model, n, seed);
    assert_outputs(model, n, seed);
    if (anything_trains(n)) {
        assert_step_from_features(model, n, seed);
        count_fused(model, counts);
    }
    uint64_t random = seed + NETWORKS;
    for (size_t i = 1; i < n->count; i++) {
        if (!has_factor(n->module[i]))
            continue;
        n->frozen[i] = pick(&random, 3) == 0;
        const char *name = thaw_group_name(group_of(model, i));
        assert_ok(context, n->frozen[i] ? thaw_model_freeze(model, name) : thaw_model_unfreeze(model, name));
    }
    assert_step(model, n, seed);
    if (anything_trains(n))
        assert_step_from_features(model, n, seed);
    thaw_model_destroy(model);
}

Test(gradients, of_random_networks_equal_finite_differences)
{
    thaw_context *context = support_context(1);
    fused counts = { 0 };
    for (uint64_t seed = 0; seed < NETWORKS; seed++) {
        network n = draw_network(seed, kinds, THAW_COUNT(kinds));
        check_network(context, &n, seed, &counts);
    }
    thaw_context_destroy(context);
}

Test(gradients, of_random_networks_that_fuse_equal_finite_differences)
{
    thaw_context *context = support_context(1);
    fused counts = { 0 };
    for (uint64_t seed = 0; seed < FUSING_NETWORKS; seed++) {
        network n = draw_network(seed, fusing_kinds, THAW_COUNT(fusing_kinds));
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
        const network n = draw_network(seed, kinds, THAW_COUNT(kinds));
        size_t readers[MOST] = { 0 };
        bool branches = false, frozen = false, dead = false;
        for (size_t i = 1; i < n.count; i++) {
            for (size_t k = 0; n.used[i] && k < input_count(n.module[i]); k++)
                branches = branches || ++readers[n.inputs[i][k]] > 1;
            frozen = frozen || (has_factor(n.module[i]) && n.used[i] && n.frozen[i]);
            dead = dead || !n.used[i];
        }
        branching += branches;
        training += anything_trains(&n);
        partly_frozen += frozen && anything_trains(&n);
        with_dead_branches += dead;
    }
    cr_assert_gt(branching, NETWORKS / 2, "%zu branch", branching);
    cr_assert_gt(training, NETWORKS / 2, "%zu train", training);
    cr_assert_gt(partly_frozen, NETWORKS / 4, "%zu are frozen in part", partly_frozen);
    cr_assert_gt(with_dead_branches, NETWORKS / 4, "%zu have dead branches", with_dead_branches);
}
