/* Data sets whose tokens have labels: trained on, evaluated, and read from the feature cache. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/gradients.h"
#include "support/network.h"
#include "support/ranks.h"
#include "train/token_network.h"

enum { SAMPLES = 45, BATCH = 8 };

static const char *const names[] = { "ids", "length" };

static thaw_dataset *open_data(thaw_context *context, token_batch *batch)
{
    thaw_dataset *data = NULL;
    token_batch_fill(batch, SAMPLES, 7);
    assert_ok(context,
              thaw_dataset_from_fields(context, batch->inputs, names, 2, &batch->targets, TOKEN_CLASSES, &data));
    return data;
}

static double log_sum_of(const float *row)
{
    double sum = 0;
    for (size_t k = 0; k < TOKEN_CLASSES; k++)
        sum += exp((double)row[k]);
    return log(sum);
}

static size_t place_of(const float *row, size_t label)
{
    size_t place = 0;
    for (size_t k = 0; k < TOKEN_CLASSES; k++)
        place += row[k] > row[label];
    return place;
}

/* From predictions of single samples, in double. */
static thaw_evaluation expect(thaw_model *model, const token_batch *batch)
{
    double loss = 0, counted = 0, correct = 0, top5 = 0;
    for (int64_t n = 0; n < batch->count; n++) {
        float outputs[TOKEN_LONGEST * TOKEN_CLASSES];
        const thaw_tensor inputs[] = {
            thaw_view_i32(batch->ids + n * TOKEN_LONGEST, 2, (int64_t[]){ 1, TOKEN_LONGEST }),
            thaw_view_i32(batch->lengths + n, 1, (int64_t[]){ 1 }),
        };
        const thaw_tensor into = thaw_view_f32(outputs, 3, (int64_t[]){ 1, TOKEN_LONGEST, TOKEN_CLASSES });
        assert_ok(thaw_model_context(model), thaw_predict(model, inputs, &into));
        for (size_t t = 0; t < TOKEN_LONGEST; t++) {
            const int32_t label = batch->labels[(size_t)n * TOKEN_LONGEST + t];
            const float *row = outputs + t * TOKEN_CLASSES;
            if (label == THAW_IGNORED_TOKEN)
                continue;
            loss += log_sum_of(row) - (double)row[label];
            correct += place_of(row, (size_t)label) == 0;
            top5 += place_of(row, (size_t)label) < 5;
            counted++;
        }
    }
    return (thaw_evaluation){ .loss = loss / counted,
                              .accuracy = correct / counted,
                              .top5_accuracy = top5 / counted,
                              .perplexity = exp(loss / counted) };
}

static void check_figures(const thaw_evaluation *found, const thaw_evaluation *wanted)
{
    cr_assert_float_eq(found->loss, wanted->loss, 1e-6, "loss %.9g, not %.9g", found->loss, wanted->loss);
    cr_assert_float_eq(found->accuracy, wanted->accuracy, 1e-12, "accuracy %g, not %g", found->accuracy,
                       wanted->accuracy);
    cr_assert_float_eq(found->top5_accuracy, wanted->top5_accuracy, 1e-12);
    cr_assert_float_eq(found->perplexity, wanted->perplexity, 1e-5);
    cr_assert_eq(found->samples, SAMPLES);
}

Test(token_data, are_evaluated_by_token)
{
    thaw_context *context = support_context(2);
    token_batch batch;
    thaw_dataset *data = open_data(context, &batch);
    for (int cuts = 0; cuts < 2; cuts++) {
        thaw_model *model = token_network(context, cuts, NULL, "sgd:lr=0.5");
        const thaw_evaluation wanted = expect(model, &batch);
        thaw_evaluation found;
        for (int64_t size = 1; size <= 2 * SAMPLES; size += 9) {
            assert_ok(context, thaw_evaluate(model, data, size, &found));
            check_figures(&found, &wanted);
        }
        thaw_model_destroy(model);
    }
    thaw_dataset_destroy(data);
    thaw_context_destroy(context);
}

static void evaluate_ranks(void *argument, const thaw_communicator *communicator)
{
    thaw_evaluation *found = argument;
    thaw_context *context = support_context(1);
    token_batch batch;
    thaw_dataset *data = open_data(context, &batch);
    thaw_model *model = token_network(context, true, NULL, "sgd:lr=0.5");
    thaw_evaluation alone;
    assert_ok(context, thaw_evaluate(model, data, BATCH, &alone));
    assert_ok(context, thaw_ranks_evaluate(model, data, BATCH, communicator, &found[communicator->rank]));
    cr_assert(found[communicator->rank].perplexity == alone.perplexity &&
              found[communicator->rank].accuracy == alone.accuracy);
    thaw_dataset_destroy(data);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(token_data, are_evaluated_alike_by_any_number_of_ranks)
{
    thaw_evaluation found[MOST_RANKS];
    for (int ranks = 2; ranks <= 3; ranks++)
        run_ranks(ranks, evaluate_ranks, found);
}

typedef struct outcome {
    thaw_epoch_result last;
    float *weights;
    size_t count;
} outcome;

static outcome fit(bool cuts, const char *frozen, thaw_fit_options options)
{
    thaw_context *context = support_context(2);
    token_batch batch;
    thaw_dataset *data = open_data(context, &batch);
    thaw_model *model = token_network(context, cuts, NULL, "sgd:lr=0.5");
    outcome got;
    if (frozen)
        assert_ok(context, thaw_model_freeze(model, frozen));
    options.epochs = 4;
    options.batch = BATCH;
    options.test = data;
    assert_ok(context, thaw_fit(model, data, &options, &got.last));
    got.weights = support_weights(model, &got.count);
    thaw_dataset_destroy(data);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
    return got;
}

static void assert_alike(outcome one, outcome other)
{
    const double apart = support_distance(one.weights, other.weights, one.count);
    cr_assert_leq(apart, 2e-5, "%g apart", apart);
    cr_assert_float_eq(one.last.loss, other.last.loss, 1e-5, "loss %.9g, %.9g", one.last.loss, other.last.loss);
    cr_assert_float_eq(one.last.test_loss, other.last.test_loss, 1e-5);
    cr_assert_float_eq(one.last.test_perplexity, exp(one.last.test_loss), 1e-9);
    cr_assert_float_eq(one.last.accuracy, other.last.accuracy, 1e-2);
    free(other.weights);
}

Test(token_data, train_as_ever_at_shorter_lengths_in_shards_and_from_the_cache)
{
    outcome whole = fit(false, NULL, (thaw_fit_options){ 0 });
    cr_assert_lt(whole.last.loss, log(TOKEN_CLASSES) + 0.2, "loss %g", whole.last.loss);
    assert_alike(whole, fit(true, NULL, (thaw_fit_options){ 0 }));
    assert_alike(whole, fit(true, NULL, (thaw_fit_options){ .shards = 4 }));
    free(whole.weights);
    whole = fit(false, "table|mix", (thaw_fit_options){ .cache_bytes = 0 });
    assert_alike(whole, fit(false, "table|mix", (thaw_fit_options){ .cache_bytes = 1 << 24 }));
    const outcome cached = fit(true, "table|mix", (thaw_fit_options){ .cache_bytes = 1 << 24 });
    cr_assert(cached.last.cached);
    assert_alike(whole, cached);
    free(whole.weights);
}

/* ---- data sets ---- */

Test(token_data, have_a_task_of_their_own)
{
    thaw_context *context = support_context(1);
    token_batch batch;
    thaw_dataset *data = open_data(context, &batch), *derived;
    size_t counts[TOKEN_CLASSES];
    const char each[] = "each token of a sample has a label of its own, so classes cannot be";
    cr_assert_eq(thaw_dataset_task(data), THAW_TASK_TOKENS);
    cr_assert_eq(thaw_dataset_classes(data), TOKEN_CLASSES);
    assert_fails(context, thaw_dataset_count_classes(data, counts), THAW_INVALID_ARGUMENT, each);
    assert_fails(context, thaw_dataset_balance(context, data, 1, &derived), THAW_INVALID_ARGUMENT, each);
    assert_fails(context, thaw_dataset_select(context, data, &(thaw_dataset_selection){ .per_class = 1 }, &derived),
                 THAW_INVALID_ARGUMENT, each);
    thaw_dataset_destroy(data);
    thaw_context_destroy(context);
}

Test(token_data, have_one_label_outside_the_classes_at_most)
{
    thaw_context *context = support_context(1);
    token_batch batch;
    thaw_dataset *data;
    token_batch_fill(&batch, SAMPLES, 7);
    batch.labels[3 * TOKEN_LONGEST + 2] = -7;
    assert_fails(context,
                 thaw_dataset_from_fields(context, batch.inputs, names, 2, &batch.targets, TOKEN_CLASSES, &data),
                 THAW_INVALID_ARGUMENT, "label -100 of sample 0 and label -7 of sample 3 are not in [0, 7)");
    data = open_data(context, &batch);
    thaw_model *model =
        token_network(context, true, &(thaw_token_cross_entropy_options){ .use_ignore_label = true, .ignore_label = 2 },
                      "sgd:lr=1");
    thaw_evaluation found;
    assert_fails(context, thaw_evaluate(model, data, BATCH, &found), THAW_INVALID_ARGUMENT,
                 "label -100 of sample 0 must be in [0, 7), and token_cross_entropy1 ignores label 2");
    thaw_model_destroy(model);
    thaw_dataset_destroy(data);
    thaw_context_destroy(context);
}
