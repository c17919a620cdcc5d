/* Steps in shards beside steps of the whole batch. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/gradients.h"
#include "support/network.h"
#include "support/toys.h"

/* ---- losses ---- */

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

Test(shards, losses_are_means_or_sums_over_the_whole_step)
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

Test(shards, a_sum_must_say_that_it_is_one)
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

/* ---- the update is of the whole step ---- */

/* Trains two models side by side, one in shards; returns how far their weights are apart. */
static double train_both(const char *optimizer, double clip_norm, int64_t shards, int steps)
{
    thaw_context *context = support_context(1);
    thaw_model *models[2];
    float *weights[2];
    size_t count = 0;
    for (int i = 0; i < 2; i++) {
        models[i] = support_network(context, true);
        support_optimize(models[i], optimizer);
        for (int step = 1; step <= steps; step++) {
            const thaw_step_options options = { .clip_norm = clip_norm, .shards = i == 0 ? 0 : shards };
            assert_ok(context, support_step(models[i], 12, (uint32_t)step, &options, NULL));
        }
        weights[i] = support_weights(models[i], &count);
    }
    const double apart = support_distance(weights[0], weights[1], count);
    for (int i = 0; i < 2; i++) {
        free(weights[i]);
        thaw_model_destroy(models[i]);
    }
    thaw_context_destroy(context);
    return apart;
}

/* With dropout. Adam counts one step for all shards; its first step moves every weight by the rate, whatever the
   gradient's size, so that two counted steps would be far off. The clipped norm is that of the sum. */
Test(shards, training_is_that_of_whole_batches)
{
    static const char *const optimizers[] = { "sgd:lr=0.1,momentum=0.9", "adam:lr=0.001" };
    for (size_t i = 0; i < THAW_COUNT(optimizers); i++)
        for (int64_t shards = 2; shards <= 5; shards++) {
            const double plain = train_both(optimizers[i], 0, shards, 4);
            const double clipped = train_both(optimizers[i], 0.05, shards, 4);
            const double tolerance = i == 0 ? 1e-6 : 1e-4; /* Adam divides by gradients that are almost 0 */
            cr_assert_leq(plain, tolerance, "%s in %d shards: %.3g apart", optimizers[i], (int)shards, plain);
            cr_assert_leq(clipped, tolerance, "%s in %d shards, clipped: %.3g apart", optimizers[i], (int)shards,
                          clipped);
        }
}

Test(shards, the_norm_is_of_the_whole_step)
{
    thaw_context *context = support_context(1);
    thaw_model *model = support_network(context, false);
    thaw_step_result whole, cut;
    support_optimize(model, "sgd:lr=0.1");
    const thaw_step_options options = { .clip_norm = 0.01, .gradients_only = true };
    thaw_step_options in_shards = options;
    in_shards.shards = 4;
    assert_ok(context, support_step(model, 12, 1, &options, &whole));
    assert_ok(context, support_step(model, 12, 1, &in_shards, &cut));
    cr_assert_float_eq(cut.gradient_norm, whole.gradient_norm, 1e-6 * whole.gradient_norm, "%.9g, wanted %.9g",
                       cut.gradient_norm, whole.gradient_norm);
    size_t count;
    float *gradients = support_gradients(model, &count);
    cr_assert_float_eq(support_norm(gradients, count), 0.01, 1e-6);
    free(gradients);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* One sample's gradient overflows, in the third of four shards, though its loss does not. */
Test(shards, a_shard_that_is_not_finite_skips_the_step)
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

/* ---- statistics ---- */

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
Test(shards, running_statistics_move_to_the_mean_over_shards)
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

/* ---- runs ---- */

/* 50 samples in batches of 16: the last has 2. Returns the weights at the end; *cached: the last epoch was. */
static float *fit(int64_t shards, size_t cache_bytes, thaw_epoch_result *last, size_t *count)
{
    thaw_context *context = support_context(2);
    thaw_model *model = support_network(context, true);
    thaw_dataset *data = support_samples(context, 50, 3);
    support_optimize(model, "sgd:lr=0.05,momentum=0.9");
    assert_ok(context, thaw_model_freeze(model, "conv*"));
    const thaw_fit_options options = {
        .epochs = 3, .batch = 16, .shards = shards, .cache_bytes = cache_bytes, .test = data
    };
    assert_ok(context, thaw_fit(model, data, &options, last));
    float *weights = support_weights(model, count);
    thaw_dataset_destroy(data);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
    return weights;
}

Test(shards, runs_are_those_of_whole_batches_with_and_without_a_cache)
{
    thaw_epoch_result results[3];
    size_t count;
    float *whole = fit(1, 0, &results[0], &count), *cut = fit(4, 0, &results[1], &count);
    float *cached = fit(4, 1 << 20, &results[2], &count);
    cr_assert(!results[1].cached && results[2].cached);
    cr_assert_arr_eq(cut, cached, count * sizeof *cut);
    const double apart = support_distance(whole, cut, count);
    cr_assert_leq(apart, 1e-6, "%.3g apart", apart);
    cr_assert(memcmp(whole, cut, count * sizeof *cut) != 0, "shards were not used");
    cr_assert_float_eq(results[1].loss, results[0].loss, 1e-5);
    cr_assert_float_eq(results[1].test_loss, results[0].test_loss, 1e-5);
    cr_assert_lt(results[1].activation_bytes, results[0].activation_bytes / 2);
    free(whole);
    free(cut);
    free(cached);
}

Test(shards, numbers_of_shards_that_do_not_work)
{
    fill_batch();
    thaw_context *context = support_context(1);
    thaw_model *model = dense_model(context, squared);
    assert_fails(context, take_step(model, &(thaw_step_options){ .shards = -1 }, NULL), THAW_INVALID_ARGUMENT,
                 "shards is -1");
    assert_fails(context, take_step(model, &(thaw_step_options){ .shards = THAW_MOST_SHARDS + 1 }, NULL),
                 THAW_INVALID_ARGUMENT, "shards is 4097");
    thaw_model_destroy(model);
    model = support_network(context, false);
    support_optimize(model, "sgd:lr=0.1");
    thaw_dataset *data = support_samples(context, 20, 3);
    assert_fails(context, thaw_fit(model, data, &(thaw_fit_options){ .batch = 10, .shards = 4 }, NULL),
                 THAW_INVALID_ARGUMENT, "batch is 10, must be a multiple of the 4 shards");
    thaw_dataset_destroy(data);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* ---- memory ---- */

Test(shards, a_plan_tells_the_memory_of_shards)
{
    thaw_context *context = support_context(1);
    thaw_model *model = support_network(context, false);
    support_optimize(model, "sgd:lr=0.1");
    const thaw_plan *plan;
    assert_ok(context, thaw_model_plan(model, &(thaw_plan_options){ .batch = 64 }, &plan));
    const thaw_plan_totals whole = thaw_plan_totals_of(plan);
    assert_ok(context, thaw_model_plan(model, &(thaw_plan_options){ .batch = 16 }, &plan));
    const thaw_plan_totals small = thaw_plan_totals_of(plan);
    assert_ok(context, thaw_model_plan(model, &(thaw_plan_options){ .batch = 64, .shards = 4 }, &plan));
    const thaw_plan_totals cut = thaw_plan_totals_of(plan);
    cr_assert_eq(cut.activation_bytes, small.activation_bytes);
    cr_assert_lt(cut.activation_bytes, whole.activation_bytes);
    cr_assert(whole.shards == 1 && whole.shard_bytes == 0 && cut.shards == 4);
    /* Two digits in 3, and a copy of all gradients for each; tensors are padded to 64 bytes. */
    cr_assert_geq(cut.shard_bytes, 2 * cut.gradient_bytes);
    cr_assert_leq(cut.shard_bytes, 2 * (cut.gradient_bytes + 64 * 2 * NETWORK_GROUPS));
    char *text;
    assert_ok(context, thaw_plan_describe(plan, &text));
    cr_assert_not_null(strstr(text, "each of 4 shards of a step"));
    thaw_text_destroy(context, text);
    assert_ok(context, thaw_plan_program(plan, &text));
    cr_assert_not_null(strstr(text, "total     total"));
    thaw_text_destroy(context, text);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
