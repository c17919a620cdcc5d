/* Dropout above and inside of a frozen prefix: what the feature cache and the plan make of it, and the warning. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/max_cpu.h"
#include "support/network.h"
#include "train/dropout_network.h"

enum { SAMPLES = 45 };

/* ---- the feature cache ---- */

typedef struct outcome {
    float *weights;
    size_t count, cached_epochs;
    double loss;
} outcome;

static bool count_cached(void *user, const thaw_epoch_result *epoch_result)
{
    *(size_t *)user += epoch_result->cached;
    return true;
}

static outcome train(dropout_place where, bool keep, size_t cache_bytes, const char *frozen)
{
    static float values[SAMPLES * DROPOUT_FEATURES];
    int32_t labels[SAMPLES];
    support_fill(values, SAMPLES * DROPOUT_FEATURES, 5);
    for (int i = 0; i < SAMPLES; i++)
        labels[i] = i * 7 % DROPOUT_CLASSES;
    outcome result = { 0 };
    thaw_context *context = support_context(2);
    thaw_model *model = dropout_model(context, where, keep);
    const thaw_tensor inputs = thaw_view_f32(values, 2, (int64_t[]){ SAMPLES, DROPOUT_FEATURES });
    const thaw_tensor targets = thaw_view_i32(labels, 1, (int64_t[]){ SAMPLES });
    thaw_dataset *data;
    thaw_epoch_result epoch_result;
    assert_ok(context, thaw_dataset_from_arrays(context, &inputs, &targets, DROPOUT_CLASSES, &data));
    support_optimize(model, "adam:lr=0.01");
    assert_ok(context, thaw_model_freeze(model, frozen));
    const thaw_fit_options options = {
        .epochs = 4, .batch = 16, .cache_bytes = cache_bytes, .on_epoch = count_cached, .user = &result.cached_epochs
    };
    assert_ok(context, thaw_fit(model, data, &options, &epoch_result));
    result.weights = support_weights(model, &result.count);
    result.loss = epoch_result.loss;
    thaw_dataset_destroy(data);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
    return result;
}

Test(dropout_prefix, that_is_kept_trains_from_the_cache_to_the_same_bits)
{
    static const struct {
        dropout_place where;
        const char *frozen;
        size_t cached_epochs; /* of what lies below the dropout */
    } cases[] = { { DROPS_HIGH, "body|middle", 3 },
                  { DROPS_LOW, "body", 3 },
                  { DROPS_LOW, "body|middle", 3 },
                  { DROPS_INPUT, "body", 0 } };
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        outcome plain = train(cases[i].where, true, 0, cases[i].frozen);
        outcome cached = train(cases[i].where, true, 1 << 20, cases[i].frozen);
        outcome off = train(cases[i].where, false, 0, cases[i].frozen);
        cr_assert_eq(cached.cached_epochs, cases[i].cached_epochs, "case %zu: %zu epochs were cached", i,
                     cached.cached_epochs);
        cr_assert_eq(memcmp(plain.weights, cached.weights, plain.count * sizeof(float)), 0, "case %zu", i);
        cr_assert_eq(plain.loss, cached.loss);
        cr_assert_neq(memcmp(plain.weights, off.weights, plain.count * sizeof(float)), 0, "case %zu: it is off", i);
        free(plain.weights);
        free(cached.weights);
        free(off.weights);
    }
}

/* ---- the plan ---- */

/* The entry of a plan for this node. */
static thaw_plan_entry entry_of(const thaw_plan *plan, const char *name)
{
    thaw_plan_entry entry = { 0 };
    for (size_t i = 0; i < thaw_plan_entry_count(plan); i++) {
        cr_assert_eq(thaw_plan_entry_at(plan, i, &entry), THAW_OK);
        if (strcmp(entry.name, name) == 0)
            return entry;
    }
    cr_assert_fail("no %s", name);
    return entry;
}

Test(dropout_prefix, that_is_kept_ends_the_prefix_below_it_and_adds_no_gradients)
{
    thaw_context *context = support_context(1);
    thaw_model *model = dropout_model(context, DROPS_LOW, true);
    const thaw_plan *plan;
    assert_ok(context, thaw_model_freeze(model, "body|middle"));
    assert_ok(context, thaw_model_plan(model, &(thaw_plan_options){ .batch = DROPOUT_BATCH }, &plan));
    cr_assert_eq(entry_of(plan, "body").region, THAW_REGION_PREFIX);
    cr_assert(entry_of(plan, "relu1").cache_boundary);
    cr_assert_eq(entry_of(plan, "drop").region, THAW_REGION_LIVE);
    cr_assert_eq(entry_of(plan, "middle").region, THAW_REGION_FROZEN);
    cr_assert(!entry_of(plan, "drop").input_gradient);
    cr_assert(!entry_of(plan, "middle").input_gradient && !entry_of(plan, "head").input_gradient);
    cr_assert(entry_of(plan, "head").parameter_gradient);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* ---- the warning ---- */

/* What the context's log was told. */
typedef struct record {
    size_t warnings;
    char last[256];
} record;

static void note(void *user, thaw_log_level level, const char *message)
{
    record *seen = user;
    if (level != THAW_LOG_WARNING)
        return;
    seen->warnings++;
    snprintf(seen->last, sizeof seen->last, "%s", message);
}

static thaw_context *listening(record *seen)
{
    thaw_context *context = NULL;
    const thaw_context_options options = {
        .threads = 1, .max_cpu = support_max_cpu(), .seed = 1, .log = note, .log_user = seen
    };
    cr_assert_eq(thaw_context_create(&options, &context), THAW_OK);
    return context;
}

static void check_warnings(dropout_place where, bool keep, const char *frozen, size_t expected)
{
    record seen = { 0 };
    thaw_context *context = listening(&seen);
    thaw_model *model = dropout_model(context, where, keep);
    thaw_step_result result;
    if (frozen)
        assert_ok(context, thaw_model_freeze(model, frozen));
    for (int64_t count = DROPOUT_BATCH; count > DROPOUT_BATCH - 3; count--)
        assert_ok(context, dropout_step(model, count, true, &result));
    cr_assert_eq(seen.warnings, expected, "place %d, \"%s\": %zu warnings", where, frozen, seen.warnings);
    if (expected)
        cr_assert(strstr(seen.last, "drop: ") == seen.last && strstr(seen.last, "drop_when_frozen"), "%s", seen.last);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(dropout_prefix, that_rests_right_below_what_trains_is_told_once_to_the_log)
{
    check_warnings(DROPS_HIGH, false, "body|middle", 1);
    check_warnings(DROPS_LOW, false, "body", 1);
    check_warnings(DROPS_INPUT, false, NULL, 1);
    check_warnings(DROPS_HIGH, true, "body|middle", 0);
    check_warnings(DROPS_INPUT, true, NULL, 0);
    check_warnings(DROPS_HIGH, false, "body", 0);
    check_warnings(DROPS_LOW, false, "body|middle", 0); /* "middle" is between */
}

/* Each block of a residual network has one, and all of them rest. */
Test(dropout_prefix, with_several_layers_of_a_kind_has_one_warning_for_each_kind)
{
    record seen = { 0 };
    thaw_context *context = listening(&seen);
    thaw_model *model;
    thaw_node x, y;
    const float values[8] = { 1 };
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ 1, { 4 } }, &x));
    for (int i = 0; i < 4; i++) {
        assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .units = 4 }, &y));
        assert_ok(context, thaw_stochastic_depth(model, y, &(thaw_stochastic_depth_options){ .rate = 0.5 }, &y));
        assert_ok(context, thaw_add(model, x, y, NULL, &x));
    }
    assert_ok(context, thaw_model_freeze(model, "*"));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "head", .units = 4 }, &x));
    assert_ok(context, thaw_mse(model, x, NULL, &x));
    support_optimize(model, "sgd:lr=0.1");
    const thaw_tensor tensor = thaw_view_f32(values, 2, (const int64_t[]){ 2, 4 });
    assert_ok(context, thaw_step(model, &tensor, &tensor, NULL, NULL));
    cr_assert_eq(seen.warnings, 1, "%zu warnings", seen.warnings);
    cr_assert(strstr(seen.last, "and 3 more: these layers of stochastic_depth do nothing"), "%s", seen.last);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
