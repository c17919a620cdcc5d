/* Which steps drop what, in a network that is frozen in part. */
#include <string.h>

#include "support/network.h"
#include "train/dropout_network.h"

/* The losses of two steps that change nothing, at different step numbers. */
static void two_losses(dropout_place where, bool keep, const char *frozen, double losses[2])
{
    thaw_context *context = support_context(1);
    thaw_model *model = dropout_model(context, where, keep);
    support_optimize(model, "sgd:lr=0");
    if (frozen != NULL)
        assert_ok(context, thaw_model_freeze(model, frozen));
    for (int i = 0; i < 2; i++) {
        thaw_step_result result;
        assert_ok(context, dropout_step(model, DROPOUT_BATCH, false, &result));
        losses[i] = result.loss;
    }
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(dropout, is_drawn_anew_in_each_step_of_the_live_part)
{
    double losses[2];
    two_losses(DROPS_HIGH, false, NULL, losses);
    cr_assert_neq(losses[0], losses[1], "both are %.9g", losses[0]);
}

static const struct {
    dropout_place where;
    const char *frozen;
} resting[] = {
    { DROPS_HIGH, "body|middle" }, { DROPS_LOW, "body" }, { DROPS_LOW, "body|middle" }, { DROPS_INPUT, "body" }
};

Test(dropout, is_off_inside_a_frozen_prefix)
{
    for (size_t i = 0; i < THAW_COUNT(resting); i++) {
        double losses[2];
        two_losses(resting[i].where, false, resting[i].frozen, losses);
        cr_assert_eq(losses[0], losses[1], "case %zu: %.9g and %.9g", i, losses[0], losses[1]);
    }
    double losses[2];
    two_losses(DROPS_INPUT, false, NULL, losses);
    cr_assert_eq(losses[0], losses[1], "of the input: %.9g and %.9g", losses[0], losses[1]);
}

Test(dropout, that_is_kept_is_drawn_anew_in_each_step)
{
    double losses[2];
    for (size_t i = 0; i < THAW_COUNT(resting); i++) {
        two_losses(resting[i].where, true, resting[i].frozen, losses);
        cr_assert_neq(losses[0], losses[1], "case %zu: both are %.9g", i, losses[0]);
    }
    two_losses(DROPS_INPUT, true, NULL, losses);
    cr_assert_neq(losses[0], losses[1], "of the input: both are %.9g", losses[0]);
}

/* The loss and the head's gradient of a step. */
static double head_gradient(dropout_place where, const char *frozen, float gradient[32 * DROPOUT_CLASSES])
{
    thaw_context *context = support_context(2);
    thaw_model *model = dropout_model(context, where, true);
    thaw_step_result result;
    if (frozen)
        assert_ok(context, thaw_model_freeze(model, frozen));
    assert_ok(context, dropout_step(model, DROPOUT_BATCH, true, &result));
    const thaw_parameter *weight = thaw_model_find_parameter(model, "head.weight");
    memcpy(gradient, thaw_parameter_gradient(weight), 32 * DROPOUT_CLASSES * sizeof *gradient);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
    return result.loss;
}

Test(dropout, that_is_kept_drops_what_it_drops_in_the_unfrozen_network)
{
    static const char *const freezes[] = { "body", "body|middle", "middle" };
    static const dropout_place places[] = { DROPS_INPUT, DROPS_LOW, DROPS_HIGH };
    for (size_t p = 0; p < THAW_COUNT(places); p++) {
        float expected[32 * DROPOUT_CLASSES], found[32 * DROPOUT_CLASSES];
        const double wanted = head_gradient(places[p], NULL, expected);
        for (size_t i = 0; i < THAW_COUNT(freezes); i++) {
            const double loss = head_gradient(places[p], freezes[i], found);
            cr_assert_float_eq(loss, wanted, 1e-6, "place %zu, \"%s\": %g and %g", p, freezes[i], loss, wanted);
            assert_close(found, expected, 32 * DROPOUT_CLASSES, 1e-6, freezes[i]);
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
    float sample[DROPOUT_FEATURES];
    const int32_t label = 0;
    support_fill(sample, DROPOUT_FEATURES, 3);
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ .rank = 1, .dims = { DROPOUT_FEATURES } }, &x));
    assert_ok(context, thaw_dropout(model, x, &(thaw_dropout_options){ .rate = 0.25, .drop_when_frozen = true }, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "head", .units = DROPOUT_CLASSES }, &x));
    assert_ok(context, thaw_softmax_cross_entropy(model, x, NULL, &x));
    const thaw_tensor inputs = thaw_view_f32(sample, 2, (int64_t[]){ 1, DROPOUT_FEATURES });
    const thaw_tensor targets = thaw_view_i32(&label, 1, (int64_t[]){ 1 });
    assert_ok(context, thaw_step(model, &inputs, &targets, &(thaw_step_options){ .gradients_only = true }, NULL));
    const float *gradient = thaw_parameter_gradient(thaw_model_find_parameter(model, "head.weight"));
    const float *slope = thaw_parameter_gradient(thaw_model_find_parameter(model, "head.bias"));
    size_t zeroed = 0;
    for (size_t i = 0; i < DROPOUT_FEATURES; i++) {
        const bool kept = gradient[i] != 0;
        zeroed += !kept;
        for (size_t k = 0; k < DROPOUT_CLASSES; k++) {
            const float expected = kept ? slope[k] * sample[i] / 0.75F : 0;
            cr_assert_float_eq(gradient[k * DROPOUT_FEATURES + i], expected, 1e-6);
        }
    }
    cr_assert(zeroed > 0 && zeroed < DROPOUT_FEATURES / 2, "%zu of %d", zeroed, DROPOUT_FEATURES);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(dropout, that_is_kept_is_off_in_evaluation)
{
    thaw_context *context = support_context(1);
    float sample[DROPOUT_FEATURES], outputs[3][DROPOUT_CLASSES];
    support_fill(sample, DROPOUT_FEATURES, 3);
    for (int i = 0; i < 3; i++) {
        thaw_model *model = dropout_model(context, DROPS_HIGH, i > 0);
        thaw_step_result result;
        assert_ok(context, thaw_model_freeze(model, "body|middle"));
        if (i == 2)
            assert_ok(context, dropout_step(model, DROPOUT_BATCH, true, &result));
        const thaw_tensor inputs = thaw_view_f32(sample, 2, (int64_t[]){ 1, DROPOUT_FEATURES });
        assert_ok(context,
                  thaw_predict(model, &inputs,
                               &(thaw_tensor){
                                   .dtype = THAW_F32, .shape = { 2, { 1, DROPOUT_CLASSES } }, .data = outputs[i] }));
        cr_assert_eq(memcmp(outputs[i], outputs[0], sizeof outputs[i]), 0, "network %d", i);
        thaw_model_destroy(model);
    }
    thaw_context_destroy(context);
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
        assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .units = DROPOUT_CLASSES }, &x));
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
