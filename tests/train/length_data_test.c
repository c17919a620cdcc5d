/* Runs over sequences of different lengths. */
#include <math.h>
#include <string.h>

#include "support/files.h"
#include "support/network.h"
#include "support/ranks.h"
#include "train/length_network.h"

enum { SAMPLES = 90, EPOCHS = 3, BATCH = 8 };

static thaw_dataset *make_data(thaw_context *context, length_batch *batch, bool tells)
{
    static const char *const names[] = { "ids", "length" };
    thaw_dataset *data = NULL;
    length_batch_fill(batch, SAMPLES, LENGTH_LONGEST, 1);
    assert_ok(context,
              thaw_dataset_from_fields(context, batch->inputs, names, 2, &batch->targets, LENGTH_CLASSES, &data));
    if (tells)
        assert_ok(context, thaw_dataset_set_lengths(data, batch->lengths));
    return data;
}

typedef struct run {
    float *weights; /* free */
    size_t count;
    thaw_epoch_result last;
} run;

static run train(thaw_context *context, bool cuts, bool tells, const char *frozen, thaw_fit_options options)
{
    static _Thread_local length_batch batch;
    thaw_dataset *data = make_data(context, &batch, tells);
    thaw_model *model = length_network(context, cuts, "sgd:lr=0.1,momentum=0.9");
    run r;
    if (frozen)
        assert_ok(context, thaw_model_freeze(model, frozen));
    options.epochs = EPOCHS;
    options.batch = BATCH;
    options.test = data;
    assert_ok(context, thaw_fit(model, data, &options, &r.last));
    r.weights = support_weights(model, &r.count);
    thaw_model_destroy(model);
    thaw_dataset_destroy(data);
    return r;
}

/* Beside a network that is never cut, on the same batches. */
Test(length_data, trains_as_the_longest_does)
{
    thaw_context *context = support_context(2);
    for (int tells = 0; tells < 2; tells++) {
        const run cut = train(context, true, tells, NULL, (thaw_fit_options){ 0 });
        const run whole = train(context, false, tells, NULL, (thaw_fit_options){ 0 });
        assert_close(cut.weights, whole.weights, cut.count, 1e-4, "weights");
        cr_assert_float_eq(cut.last.test_loss, whole.last.test_loss, 1e-4 * whole.last.test_loss);
        cr_assert(isnan(whole.last.padding) && isnan(whole.last.tokens_per_second));
        free(cut.weights);
        free(whole.weights);
    }
    thaw_context_destroy(context);
}

Test(length_data, has_less_padding_in_batches_of_like_lengths)
{
    thaw_context *context = support_context(2);
    const run mixed = train(context, true, false, NULL, (thaw_fit_options){ 0 });
    const run alike = train(context, true, true, NULL, (thaw_fit_options){ 0 });
    /* Lengths are drawn from 1 to 40. Those of a batch differ by 4 if alike, and are rounded up by 1 on average. */
    cr_assert(mixed.last.padding > 0.4 && mixed.last.padding < 0.6, "%g", mixed.last.padding);
    cr_assert(alike.last.padding > 0.05 && alike.last.padding < 0.2, "%g", alike.last.padding);
    cr_assert_gt(alike.last.tokens_per_second, 0);
    free(mixed.weights);
    free(alike.weights);
    thaw_context_destroy(context);
}

/* Without shuffling, batches are known: each has the length of its longest sample. */
Test(length_data, counts_tokens_and_padding)
{
    thaw_context *context = support_context(1);
    static length_batch batch;
    length_batch_fill(&batch, SAMPLES, LENGTH_LONGEST, 1);
    double tokens = 0, steps = 0;
    for (int first = 0; first < SAMPLES; first += BATCH) {
        int32_t longest = 0;
        const int past = first + BATCH < SAMPLES ? first + BATCH : SAMPLES;
        for (int i = first; i < past; i++) {
            longest = batch.lengths[i] > longest ? batch.lengths[i] : longest;
            tokens += batch.lengths[i];
        }
        const int step = longest <= 16 ? 1 : longest <= 32 ? 2 : 4;
        steps += (past - first) * ((longest + step - 1) / step * step);
    }
    const run r = train(context, true, true, NULL, (thaw_fit_options){ .no_shuffle = true });
    cr_assert_float_eq(r.last.padding, 1 - tokens / steps, 1e-12);
    cr_assert_float_eq(r.last.tokens_per_second * r.last.seconds, tokens, 1e-6 * tokens);
    free(r.weights);
    thaw_context_destroy(context);
}

/* Rows of the cache have the longest length; what is read of them, that of the batch. The first cut is a sequence, and
   the lengths that are read behind it; the second is the mean. */
Test(length_data, is_cached_with_the_same_bits)
{
    static const char *const frozen[] = { "table", "table|mix" };
    thaw_context *context = support_context(2);
    for (size_t i = 0; i < THAW_COUNT(frozen); i++) {
        const run plain = train(context, true, true, frozen[i], (thaw_fit_options){ 0 });
        const run cached = train(context, true, true, frozen[i], (thaw_fit_options){ .cache_bytes = 1 << 20 });
        cr_assert(cached.last.cached && cached.last.test_cached && isnan(cached.last.padding));
        cr_assert_arr_eq(cached.weights, plain.weights, plain.count * sizeof(float), "%s", frozen[i]);
        cr_assert_float_eq(cached.last.test_loss, plain.last.test_loss, 0);
        free(plain.weights);
        free(cached.weights);
    }
    thaw_context_destroy(context);
}

/* Lengths are not. */
Test(length_data, is_cached_in_half_the_bytes)
{
    thaw_context *context = support_context(2);
    const thaw_fit_options halves = { .cache_bytes = 1 << 20, .cache_dtype = THAW_BF16 };
    const run plain = train(context, true, true, "table", (thaw_fit_options){ 0 });
    const run cached = train(context, true, true, "table", halves);
    cr_assert(cached.last.cached);
    cr_assert_eq(cached.last.cache_bytes, SAMPLES * (LENGTH_LONGEST * 6 * 2 + sizeof(float) + sizeof(int32_t)));
    assert_close(cached.weights, plain.weights, plain.count, 0.03, "weights");
    free(plain.weights);
    free(cached.weights);
    thaw_context_destroy(context);
}

/* ---- ranks ---- */

static void train_rank(void *argument, const thaw_communicator *communicator)
{
    run *runs = argument;
    thaw_context *context = support_context(1);
    runs[communicator->rank] =
        train(context, true, true, "table", (thaw_fit_options){ .shards = 4, .communicator = communicator });
    thaw_context_destroy(context);
}

Test(length_data, gives_the_same_bits_on_ranks)
{
    thaw_context *context = support_context(1);
    const run alone = train(context, true, true, "table", (thaw_fit_options){ .shards = 4 });
    for (int ranks = 2; ranks <= 4; ranks += 2) {
        run runs[4];
        run_ranks(ranks, train_rank, runs);
        for (int i = 0; i < ranks; i++) {
            cr_assert_arr_eq(runs[i].weights, alone.weights, alone.count * sizeof(float));
            free(runs[i].weights);
        }
    }
    free(alone.weights);
    thaw_context_destroy(context);
}

/* ---- continuing ---- */

Test(length_data, continues_within_an_epoch)
{
    static length_batch batch;
    char folder[SUPPORT_PATH_BYTES], path[SUPPORT_PATH_BYTES];
    support_make_directory(folder);
    support_path(path, folder, "run");
    thaw_context *context = support_context(2);
    const run whole = train(context, true, true, NULL, (thaw_fit_options){ 0 });
    thaw_dataset *data = make_data(context, &batch, true);
    const thaw_fit_options options = { .epochs = EPOCHS, .batch = BATCH, .test = data };
    thaw_trainer *trainer = NULL;
    thaw_model *model = length_network(context, true, "sgd:lr=0.1,momentum=0.9");
    assert_ok(context, thaw_trainer_create(model, data, &options, &trainer));
    for (int i = 0; i < 17; i++)
        assert_ok(context, thaw_trainer_step(trainer, NULL));
    assert_ok(context, thaw_trainer_save(trainer, path));
    thaw_trainer_destroy(trainer);
    thaw_model_destroy(model);
    model = length_network(context, true, "sgd:lr=0.1,momentum=0.9");
    assert_ok(context, thaw_trainer_create(model, data, &options, &trainer));
    assert_ok(context, thaw_trainer_load(trainer, path));
    while (!thaw_trainer_done(trainer))
        assert_ok(context, thaw_trainer_step(trainer, NULL));
    size_t count;
    float *weights = support_weights(model, &count);
    cr_assert_arr_eq(weights, whole.weights, count * sizeof(float));
    cr_assert_float_eq(thaw_trainer_result(trainer)->padding, whole.last.padding, 0);
    free(weights);
    free(whole.weights);
    thaw_trainer_destroy(trainer);
    thaw_model_destroy(model);
    thaw_dataset_destroy(data);
    thaw_context_destroy(context);
    support_remove_directory(folder);
}
