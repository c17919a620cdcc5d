/* What averaged weights are used for: test figures, the best epoch's file, saving, merging. They change nothing
   else. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/combined_network.h"
#include "support/files.h"

enum { SAMPLES = 40, BATCH = 8, TESTED = 20, EPOCHS = 5 };

static char directory[SUPPORT_PATH_BYTES], file[SUPPORT_PATH_BYTES], best[SUPPORT_PATH_BYTES];

static void begin(void)
{
    support_make_directory(directory);
    support_path(file, directory, "average.safetensors");
    support_path(best, directory, "best.safetensors");
}

static void end(void)
{
    support_remove_directory(directory);
}

TestSuite(average_use, .init = begin, .fini = end);

static bool with_expressions; /* the network of combined_network.h */

static thaw_model *build(thaw_context *context)
{
    return with_expressions ? support_combined_network(context) : support_network(context, true);
}

typedef struct run {
    thaw_context *context;
    thaw_model *model;
    thaw_dataset *data, *test;
    thaw_trainer *trainer;
} run;

static run open_run(const thaw_fit_options *given)
{
    run now = { .context = support_context(2) };
    thaw_fit_options options = *given;
    now.model = build(now.context);
    now.data = support_samples(now.context, SAMPLES, 3);
    now.test = support_samples(now.context, TESTED, 4);
    support_optimize(now.model, "adam:lr=0.02");
    options.epochs = EPOCHS;
    options.batch = BATCH;
    options.test = now.test;
    assert_ok(now.context, thaw_trainer_create(now.model, now.data, &options, &now.trainer));
    return now;
}

static void close_run(run *now)
{
    thaw_trainer_destroy(now->trainer);
    thaw_dataset_destroy(now->data);
    thaw_dataset_destroy(now->test);
    thaw_model_destroy(now->model);
    thaw_context_destroy(now->context);
}

/* The loss of a file's weights in a model of its own, tested in such batches. */
static double loss_of(const char *path, int64_t batch)
{
    thaw_evaluation found;
    thaw_context *context = support_context(2);
    thaw_model *model = build(context);
    thaw_dataset *test = support_samples(context, TESTED, 4);
    assert_ok(context, thaw_weights_load(model, path, NULL, NULL));
    assert_ok(context, thaw_evaluate(model, test, batch, &found));
    thaw_dataset_destroy(test);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
    return found.loss;
}

/* With and without averages, epoch for epoch: the same training, and test figures of another model that has the file's
   weights. */
static void check(const thaw_fit_options *options)
{
    thaw_fit_options without = *options;
    without.average_decay = 0;
    run one = open_run(options), other = open_run(&without);
    for (int epoch = 1; epoch <= EPOCHS; epoch++) {
        thaw_epoch_result result, wanted;
        thaw_evaluation again;
        size_t count;
        assert_ok(one.context, thaw_trainer_epoch(one.trainer, &result));
        assert_ok(other.context, thaw_trainer_epoch(other.trainer, &wanted));
        cr_assert_eq(result.loss, wanted.loss, "epoch %d: loss %.17g, without averages %.17g", epoch, result.loss,
                     wanted.loss);
        cr_assert_neq(result.test_loss, wanted.test_loss);
        cr_assert_eq(result.cached, wanted.cached, "epoch %d", epoch);
        cr_assert_gt(result.average_bytes, 0);
        assert_ok(one.context, thaw_trainer_save_average(one.trainer, file));
        const double loss = loss_of(file, BATCH / (options->shards ? options->shards : 1));
        cr_assert_eq(result.test_loss, loss, "epoch %d: test loss %.17g, of the file %.17g", epoch, result.test_loss,
                     loss);
        assert_ok(one.context, thaw_trainer_evaluate(one.trainer, &again));
        cr_assert_eq(again.loss, loss);
        float *weights = support_weights(one.model, &count), *expected = support_weights(other.model, &count);
        cr_assert_eq(memcmp(weights, expected, count * sizeof *weights), 0, "epoch %d: other weights", epoch);
        free(weights);
        free(expected);
    }
    close_run(&one);
    close_run(&other);
}

Test(average_use, test_figures_are_those_of_the_average)
{
    check(&(thaw_fit_options){ .average_decay = 0.9 });
    check(&(thaw_fit_options){ .average_decay = 0.9, .shards = 4 });
}

/* The prefix has trained: its average goes on, its packed weights and its cached outputs are those of the weights. */
Test(average_use, a_prefix_that_freezes_late_stays_cached)
{
    const thaw_strategy_rule rules[] = {
        { .epoch = 2, .pattern = "conv*", .action = THAW_ACTION_FREEZE },
        { .epoch = 5, .pattern = "conv2", .action = THAW_ACTION_UNFREEZE },
    };
    const thaw_strategy strategy = { .name = "own", .rules = rules, .rule_count = THAW_COUNT(rules) };
    const thaw_fit_options options = { .average_decay = 0.95, .strategy = &strategy, .cache_bytes = 1 << 20 };
    check(&options);
    run now = open_run(&options);
    for (int epoch = 1; epoch < 4; epoch++)
        assert_ok(now.context, thaw_trainer_epoch(now.trainer, NULL));
    cr_assert(thaw_trainer_result(now.trainer)->cached);
    close_run(&now);
}

/* Frozen weights are computed from parts that have trained: a sum with adapters, and a weight norm, which has no packed
   copy of its own. */
Test(average_use, expressions_that_freeze_late_keep_their_values)
{
    const thaw_strategy_rule rules[] = {
        { .epoch = 2, .pattern = "{conv1,conv2,conv2.weight.lora,dense2,norm}", .action = THAW_ACTION_FREEZE },
    };
    const thaw_strategy strategy = { .name = "own", .rules = rules, .rule_count = THAW_COUNT(rules) };
    with_expressions = true;
    check(&(thaw_fit_options){ .average_decay = 0.95 });
    check(&(thaw_fit_options){ .average_decay = 0.95, .strategy = &strategy });
    check(&(thaw_fit_options){ .average_decay = 0.95, .strategy = &strategy, .cache_bytes = 1 << 20 });
}

Test(average_use, the_best_file_has_the_average)
{
    run now = open_run(&(thaw_fit_options){ .average_decay = 0.9, .best = { .file = best } });
    while (!thaw_trainer_done(now.trainer)) {
        thaw_epoch_result result;
        assert_ok(now.context, thaw_trainer_epoch(now.trainer, &result));
        assert_ok(now.context, thaw_trainer_save_average(now.trainer, file));
        if (result.best.epoch == result.epoch) {
            cr_assert_eq(result.best.saved, result.epoch);
            cr_assert_eq(loss_of(best, BATCH), loss_of(file, BATCH), "epoch %d", result.epoch);
        }
    }
    close_run(&now);
}

/* ---------------------------------------------------------------- merging */

/* The whole factors, once as adapters beside the weights and once merged. */
static double squared_distance(thaw_model *model, const char *path)
{
    double sum = 0;
    thaw_context *context = support_context(1);
    thaw_model *other = support_network(context, true);
    assert_ok(context, thaw_weights_load(other, path, NULL, NULL));
    const float *a = thaw_parameter_data(thaw_model_find_parameter(model, "dense1.weight"));
    const thaw_parameter *parameter = thaw_model_find_parameter(other, "dense1.weight");
    const float *b = thaw_parameter_data(parameter);
    for (size_t i = 0; i < thaw_shape_count(thaw_parameter_shape(parameter)); i++)
        sum += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
    thaw_model_destroy(other);
    thaw_context_destroy(context);
    return sum;
}

Test(average_use, merging_merges_the_averages_too)
{
    thaw_evaluation weights, average, merged;
    run now = open_run(&(thaw_fit_options){ .average_decay = 0.9 });
    assert_ok(now.context, thaw_lora(now.model, "dense1.weight", 2, 2));
    assert_ok(now.context, thaw_model_freeze(now.model, "conv*"));
    support_optimize(now.model, "adam:lr=0.05");
    for (int epoch = 0; epoch < 2; epoch++)
        assert_ok(now.context, thaw_trainer_epoch(now.trainer, NULL));
    assert_ok(now.context, thaw_evaluate(now.model, now.test, BATCH, &weights));
    assert_ok(now.context, thaw_trainer_evaluate(now.trainer, &average));
    cr_assert_gt(fabs(weights.loss - average.loss), 1e-3, "the average has the loss %g, too", weights.loss);
    assert_ok(now.context, thaw_trainer_merge(now.trainer, "*"));
    assert_ok(now.context, thaw_evaluate(now.model, now.test, BATCH, &merged));
    cr_assert_float_eq(merged.loss, weights.loss, 1e-5);
    assert_ok(now.context, thaw_trainer_evaluate(now.trainer, &merged));
    cr_assert_float_eq(merged.loss, average.loss, 1e-5);
    assert_ok(now.context, thaw_trainer_save_average(now.trainer, file));
    cr_assert_float_eq(loss_of(file, BATCH), average.loss, 1e-5);
    cr_assert_gt(squared_distance(now.model, file), 1e-6, "the file has the weights, not the average");
    close_run(&now);
}

/* ---------------------------------------------------------------- the host */

Test(average_use, a_destroyed_trainer_leaves_what_is_in_use)
{
    size_t count;
    run now = open_run(&(thaw_fit_options){ .average_decay = 0.9 });
    assert_ok(now.context, thaw_trainer_epoch(now.trainer, NULL));
    float *weights = support_weights(now.model, &count);
    assert_ok(now.context, thaw_trainer_use_average(now.trainer, true));
    float *average = support_weights(now.model, &count);
    cr_assert_neq(memcmp(weights, average, count * sizeof *weights), 0);
    thaw_trainer_destroy(now.trainer);
    now.trainer = NULL;
    float *left = support_weights(now.model, &count);
    cr_assert_eq(memcmp(left, average, count * sizeof *left), 0);
    free(weights);
    free(average);
    free(left);
    close_run(&now);
}

Test(average_use, wrong_calls_are_errors)
{
    thaw_trainer *trainer;
    run now = open_run(&(thaw_fit_options){ 0 });
    assert_fails(now.context, thaw_trainer_use_average(now.trainer, true), THAW_INVALID_ARGUMENT, "its decay is 0");
    assert_fails(now.context, thaw_trainer_save_average(now.trainer, file), THAW_INVALID_ARGUMENT, "its decay is 0");
    const double decays[] = { 1, -0.1, NAN, INFINITY };
    for (size_t i = 0; i < THAW_COUNT(decays); i++)
        assert_fails(now.context,
                     thaw_trainer_create(now.model, now.data, &(thaw_fit_options){ .average_decay = decays[i] },
                                         &trainer),
                     THAW_INVALID_ARGUMENT, "must be at least 0 and less than 1");
    close_run(&now);
}
