/* Dropout and freezing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/max_cpu.h"
#include "support/network.h"

enum { BATCH = 16, FEATURES = 40, CLASSES = 3, SAMPLES = 45 };

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

/* Where the dropout is: of the input, below "middle", or below "head". */
typedef enum place { INPUT, LOW, HIGH } place;

/* body, relu, middle, relu, head: dense layers, with one dropout among them. */
static thaw_model *make_model(thaw_context *context, place where, bool keep)
{
    static const char *const names[] = { "body", "middle", "head" };
    thaw_model *model;
    thaw_node x;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ .rank = 1, .dims = { FEATURES } }, &x));
    for (int i = 0; i < 3; i++) {
        const thaw_dropout_options dropout = { .name = "drop", .rate = 0.5, .drop_when_frozen = keep };
        const thaw_dense_options dense = { .name = names[i], .units = i == 2 ? CLASSES : 32 };
        if (i == (int)where)
            assert_ok(context, thaw_dropout(model, x, &dropout, &x));
        assert_ok(context, thaw_dense(model, x, &dense, &x));
        if (i < 2)
            assert_ok(context, thaw_relu(model, x, NULL, &x));
    }
    assert_ok(context, thaw_softmax_cross_entropy(model, x, NULL, &x));
    return model;
}

static thaw_status step(thaw_model *model, int64_t count, bool gradients_only, thaw_step_result *result)
{
    float values[BATCH * FEATURES];
    int32_t labels[BATCH];
    support_fill(values, BATCH * FEATURES, 1);
    for (int i = 0; i < BATCH; i++)
        labels[i] = i % CLASSES;
    const thaw_tensor inputs = thaw_view_f32(values, 2, (int64_t[]){ count, FEATURES });
    const thaw_tensor targets = thaw_view_i32(labels, 1, &count);
    return thaw_step(model, &inputs, &targets, &(thaw_step_options){ .gradients_only = gradients_only }, result);
}

/* The losses of two steps that change nothing, at different step numbers. */
static void two_losses(place where, bool keep, const char *frozen, double losses[2])
{
    thaw_context *context = support_context(1);
    thaw_model *model = make_model(context, where, keep);
    support_optimize(model, "sgd:lr=0");
    if (frozen != NULL)
        assert_ok(context, thaw_model_freeze(model, frozen));
    for (int i = 0; i < 2; i++) {
        thaw_step_result result;
        assert_ok(context, step(model, BATCH, false, &result));
        losses[i] = result.loss;
    }
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(dropout, is_drawn_anew_in_each_step_of_the_live_part)
{
    double losses[2];
    two_losses(HIGH, false, NULL, losses);
    cr_assert_neq(losses[0], losses[1], "both are %.9g", losses[0]);
}

static const struct {
    place where;
    const char *frozen;
} resting[] = { { HIGH, "body|middle" }, { LOW, "body" }, { LOW, "body|middle" }, { INPUT, "body" } };

Test(dropout, is_off_inside_a_frozen_prefix)
{
    for (size_t i = 0; i < THAW_COUNT(resting); i++) {
        double losses[2];
        two_losses(resting[i].where, false, resting[i].frozen, losses);
        cr_assert_eq(losses[0], losses[1], "case %zu: %.9g and %.9g", i, losses[0], losses[1]);
    }
    double losses[2];
    two_losses(INPUT, false, NULL, losses);
    cr_assert_eq(losses[0], losses[1], "of the input: %.9g and %.9g", losses[0], losses[1]);
}

Test(dropout, that_is_kept_is_drawn_anew_in_each_step)
{
    double losses[2];
    for (size_t i = 0; i < THAW_COUNT(resting); i++) {
        two_losses(resting[i].where, true, resting[i].frozen, losses);
        cr_assert_neq(losses[0], losses[1], "case %zu: both are %.9g", i, losses[0]);
    }
    two_losses(INPUT, true, NULL, losses);
    cr_assert_neq(losses[0], losses[1], "of the input: both are %.9g", losses[0]);
}

/* The loss and the head's gradient of a step. */
static double head_gradient(place where, const char *frozen, float gradient[32 * CLASSES])
{
    thaw_context *context = support_context(2);
    thaw_model *model = make_model(context, where, true);
    thaw_step_result result;
    if (frozen)
        assert_ok(context, thaw_model_freeze(model, frozen));
    assert_ok(context, step(model, BATCH, true, &result));
    const thaw_parameter *weight = thaw_model_find_parameter(model, "head.weight");
    memcpy(gradient, thaw_parameter_gradient(weight), 32 * CLASSES * sizeof *gradient);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
    return result.loss;
}

Test(dropout, that_is_kept_drops_what_it_drops_in_the_unfrozen_network)
{
    static const char *const freezes[] = { "body", "body|middle", "middle" };
    static const place places[] = { INPUT, LOW, HIGH };
    for (size_t p = 0; p < THAW_COUNT(places); p++) {
        float expected[32 * CLASSES], found[32 * CLASSES];
        const double wanted = head_gradient(places[p], NULL, expected);
        for (size_t i = 0; i < THAW_COUNT(freezes); i++) {
            const double loss = head_gradient(places[p], freezes[i], found);
            cr_assert_float_eq(loss, wanted, 1e-6, "place %zu, \"%s\": %g and %g", p, freezes[i], loss, wanted);
            assert_close(found, expected, 32 * CLASSES, 1e-6, freezes[i]);
        }
    }
}

/* The gradient of one dense layer above it, for one sample, is its output's gradient times what the dropout let
   pass. */
Test(dropout, of_the_input_that_is_kept_zeroes_and_scales)
{
    thaw_context *context = support_context(1);
    thaw_model *model;
    thaw_node x;
    float sample[FEATURES];
    const int32_t label = 0;
    support_fill(sample, FEATURES, 3);
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ .rank = 1, .dims = { FEATURES } }, &x));
    assert_ok(context, thaw_dropout(model, x, &(thaw_dropout_options){ .rate = 0.25, .drop_when_frozen = true }, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "head", .units = CLASSES }, &x));
    assert_ok(context, thaw_softmax_cross_entropy(model, x, NULL, &x));
    const thaw_tensor inputs = thaw_view_f32(sample, 2, (int64_t[]){ 1, FEATURES });
    const thaw_tensor targets = thaw_view_i32(&label, 1, (int64_t[]){ 1 });
    assert_ok(context, thaw_step(model, &inputs, &targets, &(thaw_step_options){ .gradients_only = true }, NULL));
    const float *gradient = thaw_parameter_gradient(thaw_model_find_parameter(model, "head.weight"));
    const float *slope = thaw_parameter_gradient(thaw_model_find_parameter(model, "head.bias"));
    size_t zeroed = 0;
    for (size_t i = 0; i < FEATURES; i++) {
        const bool kept = gradient[i] != 0;
        zeroed += !kept;
        for (size_t k = 0; k < CLASSES; k++) {
            const float expected = kept ? slope[k] * sample[i] / 0.75F : 0;
            cr_assert_float_eq(gradient[k * FEATURES + i], expected, 1e-6);
        }
    }
    cr_assert(zeroed > 0 && zeroed < FEATURES / 2, "%zu of %d", zeroed, FEATURES);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(dropout, that_is_kept_is_off_in_evaluation)
{
    thaw_context *context = support_context(1);
    float sample[FEATURES], outputs[3][CLASSES];
    support_fill(sample, FEATURES, 3);
    for (int i = 0; i < 3; i++) {
        thaw_model *model = make_model(context, HIGH, i > 0);
        thaw_step_result result;
        assert_ok(context, thaw_model_freeze(model, "body|middle"));
        if (i == 2)
            assert_ok(context, step(model, BATCH, true, &result));
        const thaw_tensor inputs = thaw_view_f32(sample, 2, (int64_t[]){ 1, FEATURES });
        assert_ok(context, thaw_predict(model, &inputs,
                                        &(thaw_tensor){
                                            .dtype = THAW_F32, .shape = { 2, { 1, CLASSES } }, .data = outputs[i] }));
        cr_assert_eq(memcmp(outputs[i], outputs[0], sizeof outputs[i]), 0, "network %d", i);
        thaw_model_destroy(model);
    }
    thaw_context_destroy(context);
}

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

static outcome train(place where, bool keep, size_t cache_bytes, const char *frozen)
{
    static float values[SAMPLES * FEATURES];
    int32_t labels[SAMPLES];
    support_fill(values, SAMPLES * FEATURES, 5);
    for (int i = 0; i < SAMPLES; i++)
        labels[i] = i * 7 % CLASSES;
    outcome result = { 0 };
    thaw_context *context = support_context(2);
    thaw_model *model = make_model(context, where, keep);
    const thaw_tensor inputs = thaw_view_f32(values, 2, (int64_t[]){ SAMPLES, FEATURES });
    const thaw_tensor targets = thaw_view_i32(labels, 1, (int64_t[]){ SAMPLES });
    thaw_dataset *data;
    thaw_epoch_result epoch_result;
    assert_ok(context, thaw_dataset_from_arrays(context, &inputs, &targets, CLASSES, &data));
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

Test(dropout, that_is_kept_trains_from_the_cache_to_the_same_bits)
{
    static const struct {
        place where;
        const char *frozen;
        size_t cached_epochs; /* of what lies below the dropout */
    } cases[] = { { HIGH, "body|middle", 3 }, { LOW, "body", 3 }, { LOW, "body|middle", 3 }, { INPUT, "body", 0 } };
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

Test(dropout, that_is_kept_ends_the_prefix_below_it_and_adds_no_gradients)
{
    thaw_context *context = support_context(1);
    thaw_model *model = make_model(context, LOW, true);
    const thaw_plan *plan;
    assert_ok(context, thaw_model_freeze(model, "body|middle"));
    assert_ok(context, thaw_model_plan(model, &(thaw_plan_options){ .batch = BATCH }, &plan));
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

static void check_warnings(place where, bool keep, const char *frozen, size_t expected)
{
    record seen = { 0 };
    thaw_context *context = listening(&seen);
    thaw_model *model = make_model(context, where, keep);
    thaw_step_result result;
    if (frozen)
        assert_ok(context, thaw_model_freeze(model, frozen));
    for (int64_t count = BATCH; count > BATCH - 3; count--)
        assert_ok(context, step(model, count, true, &result));
    cr_assert_eq(seen.warnings, expected, "place %d, \"%s\": %zu warnings", where, frozen, seen.warnings);
    if (expected)
        cr_assert(strstr(seen.last, "drop: ") == seen.last && strstr(seen.last, "drop_when_frozen"), "%s", seen.last);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(dropout, that_rests_right_below_what_trains_is_told_once_to_the_log)
{
    check_warnings(HIGH, false, "body|middle", 1);
    check_warnings(LOW, false, "body", 1);
    check_warnings(INPUT, false, NULL, 1);
    check_warnings(HIGH, true, "body|middle", 0);
    check_warnings(INPUT, true, NULL, 0);
    check_warnings(HIGH, false, "body", 0);
    check_warnings(LOW, false, "body|middle", 0); /* "middle" is between */
}

Test(dropout, between_recurrent_layers_can_be_kept)
{
    thaw_context *context = support_context(1);
    for (int keep = 0; keep < 2; keep++) {
        thaw_model *model;
        thaw_node x;
        double losses[2];
        float values[2 * 5 * 4];
        const int32_t labels[] = { 0, 2 };
        const thaw_recurrent_options options = {
            .name = "rnn", .units = 12, .layers = 2, .dropout = 0.5, .drop_when_frozen = keep, .last_only = true
        };
        support_fill(values, THAW_COUNT(values), 4);
        assert_ok(context, thaw_model_create(context, &model));
        assert_ok(context, thaw_input(model, &(thaw_shape){ .rank = 2, .dims = { 5, 4 } }, &x));
        assert_ok(context, thaw_gru(model, x, &options, &x));
        assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .units = CLASSES }, &x));
        assert_ok(context, thaw_softmax_cross_entropy(model, x, NULL, &x));
        support_optimize(model, "sgd:lr=0");
        assert_ok(context, thaw_model_freeze(model, "rnn.l0"));
        const thaw_tensor inputs = thaw_view_f32(values, 3, (int64_t[]){ 2, 5, 4 });
        const thaw_tensor targets = thaw_view_i32(labels, 1, (int64_t[]){ 2 });
        for (int i = 0; i < 2; i++) {
            thaw_step_result result;
            assert_ok(context, thaw_step(model, &inputs, &targets, NULL, &result));
            losses[i] = result.loss;
        }
        cr_assert_eq(losses[0] != losses[1], keep, "kept: %d, losses %g and %g", keep, losses[0], losses[1]);
        thaw_model_destroy(model);
    }
    thaw_context_destroy(context);
}
