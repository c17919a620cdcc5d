/* Losses of steps in shards beside those of whole batches, and running statistics. */
#include <math.h>
#include <stdlib.h>

#include "support/gradients.h"
#include "support/network.h"
#include "support/toys.h"

enum { SAMPLES = 11, FEATURES = 6, CLASSES = 4 };

static float values[SAMPLES * FEATURES], answers[SAMPLES * CLASSES];
static int32_t labels[SAMPLES];

typedef thaw_status append_loss(thaw_model *model, thaw_node x, thaw_node *y);

static thaw_status weighted(thaw_model *model, thaw_node x, thaw_node *y)
{
    const float weights[CLASSES] = { 0.5F, 3, 0, 1.25F };
    return thaw_softmax_cross_entropy(model, x,
                                      &(thaw_softmax_cross_entropy_options){ .class_weights = weights,
                                                                             .label_smoothing = 0.1,
                                                                             .use_ignore_label = true,
                                                                             .ignore_label = -1 },
                                      y);
}

static thaw_status summed(thaw_model *model, thaw_node x, thaw_node *y)
{
    return thaw_softmax_cross_entropy(model, x,
                                      &(thaw_softmax_cross_entropy_options){
                                          .reduction = THAW_REDUCE_SUM, .use_ignore_label = true, .ignore_label = -1 },
                                      y);
}

static thaw_status squared(thaw_model *model, thaw_node x, thaw_node *y)
{
    return thaw_mse(model, x, NULL, y);
}

static thaw_status squared_sum(thaw_model *model, thaw_node x, thaw_node *y)
{
    return thaw_mse(model, x, &(thaw_mse_options){ .reduction = THAW_REDUCE_SUM }, y);
}

static thaw_status host(thaw_model *model, thaw_node x, thaw_node *y)
{
    return thaw_model_append(model, &toy_quadratic, NULL, &x, 1, NULL, y);
}

/* Whether the targets of the last model that was made are labels. */
static bool of_labels;

static thaw_model *dense_model(thaw_context *context, append_loss *loss)
{
    of_labels = loss == weighted || loss == summed;
    thaw_model *model;
    thaw_node x;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ .rank = 1, .dims = { FEATURES } }, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "low", .units = 5 }, &x));
    assert_ok(context, thaw_tanh(model, x, NULL, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "high", .units = CLASSES }, &x));
    assert_ok(context, loss(model, x, &x));
    support_optimize(model, "sgd:lr=0.1");
    return model;
}

/* Where labels are ignored, shards have other weights than samples; the second of four has none. */
static void fill_batch(void)
{
    support_fill(values, SAMPLES * FEATURES, 3);
    support_fill(answers, SAMPLES * CLASSES, 4);
    for (int32_t n = 0; n < SAMPLES; n++)
        labels[n] = n % 3 == 1 || (n >= 3 && n < 6) ? -1 : n * n % CLASSES;
}

static thaw_status take_step(thaw_model *model, const thaw_step_options *options, thaw_step_result *result)
{
    const thaw_tensor inputs = thaw_view_f32(values, 2, (int64_t[]){ SAMPLES, FEATURES });
    const thaw_tensor targets = of_labels ? thaw_view_i32(labels, 1, (int64_t[]){ SAMPLES })
                                          : thaw_view_f32(answers, 2, (int64_t[]){ SAMPLES, CLASSES });
    return thaw_step(model, &inputs, &targets, options, result);
}

static void check_loss(append_loss *loss, int64_t shards)
{
    thaw_context *context = support_context(1);
    thaw_model *model = dense_model(context, loss);
    thaw_step_result wanted, found;
    size_t count;
    assert_ok(context, take_step(model, &(thaw_step_options){ .gradients_only = true }, &wanted));
    float *one = support_gradients(model, &count);
    assert_ok(context, take_step(model, &(thaw_step_options){ .gradients_only = true, .shards = shards }, &found));
    float *many = support_gradients(model, &count);
    const double apart = support_distance(one, many, count);
    cr_assert_leq(apart, 1e-6, "%d shards: %.3g apart", (int)shards, apart);
    cr_assert_float_eq(found.loss, wanted.loss, 1e-6 * fabs(wanted.loss), "%d shards: %.9g, wanted %.9g", (int)shards,
                       found.loss, wanted.loss);
    cr_assert_float_eq(found.loss_total, wanted.loss_total, 1e-6 * fabs(wanted.loss_total));
    cr_assert_float_eq(found.loss_weight, wanted.loss_weight, 1e-9);
    cr_assert(found.correct == wanted.correct && found.counted == wanted.counted);
    free(one);
    free(many);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(shard_losses, losses_are_means_or_sums_over_the_whole_step)
{
    fill_batch();
    for (int64_t shards = 1; shards <= SAMPLES + 2; shards++) {
        check_loss(weighted, shards);
        check_loss(summed, shards);
        check_loss(squared, shards);
        check_loss(squared_sum, shards);
        check_loss(host, shards);
    }
}

/* A host's loss that sums but does not say so: its `weigh` writes the sum to *total. */
static void weigh_as_sum(const thaw_layer_run *run, double *total, double *weight)
{
    (void)weight;
    *total = (double)*(const float *)run->output;
}

static thaw_layer_module silent;

static thaw_status append_silent(thaw_model *model, thaw_node x, thaw_node *y)
{
    silent = toy_quadratic;
    silent.weigh = weigh_as_sum;
    return thaw_model_append(model, &silent, "silent", &x, 1, NULL, y);
}

Test(shard_losses, a_sum_must_say_that_it_is_one)
{
    fill_batch();
    thaw_context *context = support_context(1);
    thaw_model *model = dense_model(context, append_silent);
    size_t count;
    float *before = support_weights(model, &count);
    assert_fails(context, take_step(model, &(thaw_step_options){ .shards = 3 }, NULL), THAW_UNSUPPORTED,
                 "silent: its value is not the mean");
    float *after = support_weights(model, &count);
    cr_assert_arr_eq(before, after, count * sizeof *before);
    assert_ok(context, take_step(model, NULL, NULL));
    free(before);
    free(after);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* One sample's gradient overflows, in the third of four shards, though its loss does not. */
Test(shard_losses, a_shard_that_is_not_finite_skips_the_step)
{
    fill_batch();
    thaw_context *context = support_context(1);
    thaw_model *model = dense_model(context, squared);
    assert_ok(context, thaw_model_freeze(model, "low"));
    size_t count;
    thaw_step_result result;
    float *before = support_weights(model, &count);
    answers[7 * CLASSES] = 1e19F; /* squared: 1e38 */
    thaw_parameter *weight = thaw_model_find_parameter(model, "high.weight");
    thaw_parameter_edit(weight)[0] = 3e19F; /* times its gradient, in `low`, beyond a float's range */
    assert_ok(context, thaw_model_unfreeze(model, "low"));
    support_optimize(model, "adam");
    free(before);
    before = support_weights(model, &count);
    assert_ok(context, take_step(model, &(thaw_step_options){ .shards = 4 }, &result));
    cr_assert(result.skipped, "the loss is %g", result.loss);
    float *after = support_weights(model, &count);
    cr_assert_arr_eq(before, after, count * sizeof *before);
    free(before);
    free(after);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* What batch normalisation of one shard makes of running statistics that are 0 and 1, with momentum 0.1. */
static void follow(const float *samples, size_t count, size_t feature, double *mean, double *variance)
{
    double sum = 0, squares = 0;
    for (size_t n = 0; n < count; n++)
        sum += (double)samples[n * FEATURES + feature];
    for (size_t n = 0; n < count; n++)
        squares += pow((double)samples[n * FEATURES + feature] - sum / (double)count, 2);
    *mean = 0.1 * sum / (double)count;
    *variance = 0.9 + 0.1 * squares / (double)(count - 1);
}

/* Shards of 3, 3, 3 and 2 samples. */
Test(shard_losses, running_statistics_move_to_the_mean_over_shards)
{
    static const size_t begin[] = { 0, 3, 6, 9, 11 };
    fill_batch();
    thaw_context *context = support_context(1);
    thaw_model *model;
    thaw_node x;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ .rank = 1, .dims = { FEATURES } }, &x));
    assert_ok(context, thaw_batch_norm(model, x, &(thaw_batch_norm_options){ .name = "norm" }, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .units = CLASSES }, &x));
    assert_ok(context, thaw_mse(model, x, NULL, &x));
    support_optimize(model, "sgd:lr=0.1");
    assert_ok(context, take_step(model, &(thaw_step_options){ .shards = 4, .gradients_only = true }, NULL));
    const float *mean = thaw_parameter_data(thaw_model_find_parameter(model, "norm.running_mean"));
    cr_assert_eq(mean[0], 0, "gradients alone moved them");
    assert_ok(context, take_step(model, &(thaw_step_options){ .shards = 4 }, NULL));
    mean = thaw_parameter_data(thaw_model_find_parameter(model, "norm.running_mean"));
    const float *variance = thaw_parameter_data(thaw_model_find_parameter(model, "norm.running_var"));
    for (size_t f = 0; f < FEATURES; f++) {
        double wanted[2] = { 0, 0 };
        for (size_t k = 0; k < 4; k++) {
            double now[2];
            follow(values + begin[k] * FEATURES, begin[k + 1] - begin[k], f, &now[0], &now[1]);
            wanted[0] += now[0] / 4;
            wanted[1] += now[1] / 4;
        }
        cr_assert_float_eq((double)mean[f], wanted[0], 1e-6, "mean %g, wanted %g", (double)mean[f], wanted[0]);
        cr_assert_float_eq((double)variance[f], wanted[1], 1e-6, "variance %g, wanted %g", (double)variance[f],
                           wanted[1]);
    }
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
