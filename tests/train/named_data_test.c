/* Data sets of several fields train and test models of several inputs. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <thaw/runtime.h>
#include <unistd.h>

#include "support/network.h"
#include "support/ranks.h"
#include "train/named_network.h"

enum { SAMPLES = 48, EPOCHS = 3, BATCH = 8 };

static const char *const in_order[] = { "ids", "numbers" };

static thaw_dataset *make_data(thaw_context *context, const named_batch *batch)
{
    thaw_dataset *data = NULL;
    assert_ok(context,
              thaw_dataset_from_fields(context, batch->inputs, in_order, 2, &batch->targets, NAMED_CLASSES, &data));
    return data;
}

typedef struct run {
    float *weights; /* free */
    size_t count;
    thaw_epoch_result last;
} run;

static run train(thaw_context *context, thaw_dataset *data, const char *frozen, thaw_fit_options options)
{
    thaw_model *model = named_network(context, "adam:lr=1e-2");
    run r;
    if (frozen)
        assert_ok(context, thaw_model_freeze(model, frozen));
    options.epochs = EPOCHS;
    options.batch = BATCH;
    assert_ok(context, thaw_fit(model, data, &options, &r.last));
    r.weights = support_weights(model, &r.count);
    thaw_model_destroy(model);
    return r;
}

static void assert_same(run one, run other)
{
    cr_assert_eq(one.count, other.count);
    cr_assert_arr_eq(one.weights, other.weights, one.count * sizeof(float));
    cr_assert_float_eq(one.last.test_loss, other.last.test_loss, 0);
    free(other.weights);
}

/* What a host does that has its own loop over the same batches. */
static run train_by_steps(thaw_context *context, const named_batch *all)
{
    thaw_model *model = named_network(context, "adam:lr=1e-2");
    run r = { .last.test_loss = NAN };
    for (int step = 0; step < EPOCHS * SAMPLES / BATCH; step++) {
        const int64_t first = step * BATCH % SAMPLES, count = BATCH;
        const thaw_tensor inputs[] = {
            thaw_view_i32(all->ids + first * NAMED_LENGTH, 2, (int64_t[]){ count, NAMED_LENGTH }),
            thaw_view_f32(all->numbers + first * NAMED_NUMBERS, 2, (int64_t[]){ count, NAMED_NUMBERS }),
        };
        const thaw_tensor targets = thaw_view_i32(all->labels + first, 1, &count);
        assert_ok(context, thaw_step(model, inputs, &targets, NULL, NULL));
    }
    r.weights = support_weights(model, &r.count);
    thaw_model_destroy(model);
    return r;
}

Test(named_data, train_as_steps_do)
{
    thaw_context *context = support_context(2);
    named_batch batch;
    named_batch_fill(&batch, SAMPLES, 1);
    thaw_dataset *data = make_data(context, &batch);
    const run by_fit = train(context, data, NULL, (thaw_fit_options){ .no_shuffle = true });
    const run by_steps = train_by_steps(context, &batch);
    cr_assert_arr_eq(by_fit.weights, by_steps.weights, by_fit.count * sizeof(float));
    free(by_fit.weights);
    free(by_steps.weights);
    thaw_dataset_destroy(data);
    thaw_context_destroy(context);
}

/* Fields in another order, and one that the model does not have. */
Test(named_data, are_matched_by_name)
{
    thaw_context *context = support_context(2);
    named_batch batch;
    named_batch_fill(&batch, SAMPLES, 1);
    float spare[SAMPLES];
    support_fill(spare, SAMPLES, 9);
    const thaw_tensor inputs[] = { batch.inputs[1], thaw_view_f32(spare, 1, (int64_t[]){ SAMPLES }), batch.inputs[0] };
    const char *const names[] = { "numbers", "spare", "ids" };
    thaw_dataset *data = make_data(context, &batch), *other = NULL;
    assert_ok(context, thaw_dataset_from_fields(context, inputs, names, 3, &batch.targets, NAMED_CLASSES, &other));
    const run expected = train(context, data, NULL, (thaw_fit_options){ .test = data });
    assert_same(expected, train(context, other, NULL, (thaw_fit_options){ .test = other }));
    assert_same(expected, train(context, data, NULL, (thaw_fit_options){ .test = other }));
    free(expected.weights);
    thaw_dataset_destroy(data);
    thaw_dataset_destroy(other);
    thaw_context_destroy(context);
}

Test(named_data, without_names_are_matched_by_order)
{
    thaw_context *context = support_context(2);
    named_batch batch;
    named_batch_fill(&batch, SAMPLES, 1);
    thaw_dataset *data = make_data(context, &batch), *other = NULL;
    assert_ok(context, thaw_dataset_from_fields(context, batch.inputs, NULL, 2, &batch.targets, NAMED_CLASSES, &other));
    const run expected = train(context, data, NULL, (thaw_fit_options){ 0 });
    const run by_order = train(context, other, NULL, (thaw_fit_options){ 0 });
    cr_assert_arr_eq(expected.weights, by_order.weights, expected.count * sizeof(float));
    free(expected.weights);
    free(by_order.weights);
    thaw_dataset_destroy(data);
    thaw_dataset_destroy(other);
    thaw_context_destroy(context);
}

Test(named_data, are_told_apart_where_they_do_not_match)
{
    thaw_context *context = support_context(1);
    thaw_model *model = named_network(context, "sgd:lr=0.1");
    named_batch batch;
    named_batch_fill(&batch, SAMPLES, 1);
    const thaw_tensor floats = thaw_view_f32(batch.numbers, 2, (int64_t[]){ SAMPLES, NAMED_LENGTH });
    const thaw_tensor inputs[][2] = {
        { batch.inputs[0], batch.inputs[1] },
        { batch.inputs[0], batch.inputs[0] },
        { floats, batch.inputs[1] },
    };
    const struct {
        const char *names[2];
        size_t inputs, count;
        thaw_status status;
        const char *message;
    } cases[] = {
        { { "id", "numbers" }, 0, 2, THAW_NOT_FOUND, "did you mean \"id\"?" },
        { { "ids", "numbers" }, 1, 2, THAW_SHAPE_MISMATCH, "[5] for the model's input \"numbers\", must have [3]" },
        { { "ids", "numbers" }, 2, 2, THAW_INVALID_ARGUMENT, "floats for the model's input \"ids\"" },
        { { NULL, "numbers" }, 0, 1, THAW_SHAPE_MISMATCH, "samples have 1 fields, the model has 2 inputs" },
    };
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        thaw_dataset *data = NULL;
        thaw_evaluation result;
        assert_ok(context, thaw_dataset_from_fields(context, inputs[cases[i].inputs], cases[i].names, cases[i].count,
                                                    &batch.targets, NAMED_CLASSES, &data));
        assert_fails(context, thaw_fit(model, data, NULL, NULL), cases[i].status, cases[i].message);
        assert_fails(context, thaw_evaluate(model, data, 0, &result), cases[i].status, cases[i].message);
        thaw_dataset_destroy(data);
    }
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* What the live part reads of the prefix is the reader's state, and an input as it is. */
/* The data set may be in memory of the host, which can change. */
Test(named_data, tell_which_sample_has_an_id_without_a_row)
{
    static const char message[] =
        "value 3 of ids of sample 17 of the data set is 13, must be from 0 to 12: table has 13";
    thaw_context *context = support_context(2);
    thaw_model *model = named_network(context, "sgd:lr=0.1");
    named_batch batch;
    named_batch_fill(&batch, SAMPLES, 1);
    batch.ids[17 * NAMED_LENGTH + 3] = NAMED_ROWS;
    thaw_dataset *data = make_data(context, &batch);
    thaw_evaluation result;
    size_t count;
    float *before = support_weights(model, &count);
    assert_fails(context, thaw_evaluate(model, data, 8, &result), THAW_INVALID_ARGUMENT, message);
    const thaw_fit_options options = { .batch = SAMPLES };
    assert_fails(context, thaw_fit(model, data, &options, NULL), THAW_INVALID_ARGUMENT, message);
    float *after = support_weights(model, &count);
    cr_assert_arr_eq(before, after, count * sizeof(float));
    free(before);
    free(after);
    thaw_dataset_destroy(data);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(named_data, are_cached_with_the_same_bits)
{
    thaw_context *context = support_context(2);
    named_batch batch;
    named_batch_fill(&batch, SAMPLES, 1);
    thaw_dataset *data = make_data(context, &batch);
    const run plain = train(context, data, "table|reader", (thaw_fit_options){ 0 });
    const run cached = train(context, data, "table|reader", (thaw_fit_options){ .cache_bytes = 1 << 20 });
    cr_assert(cached.last.cached);
    cr_assert_eq(cached.last.cache_bytes >= SAMPLES * (4 + NAMED_NUMBERS) * sizeof(float), true);
    cr_assert_arr_eq(plain.weights, cached.weights, plain.count * sizeof(float));
    free(cached.weights);
    free(plain.weights);
    thaw_dataset_destroy(data);
    thaw_context_destroy(context);
}

/* Taking an input out of the sample is no work that a cache could save. */
Test(named_data, alone_are_not_worth_a_cache)
{
    thaw_context *context = support_context(2);
    named_batch batch;
    named_batch_fill(&batch, SAMPLES, 1);
    thaw_dataset *data = make_data(context, &batch);
    const run r = train(context, data, NULL, (thaw_fit_options){ .cache_bytes = 1 << 20 });
    cr_assert_not(r.last.cached);
    cr_assert_eq(r.last.cache_bytes, 0);
    free(r.weights);
    thaw_dataset_destroy(data);
    thaw_context_destroy(context);
}

/* ---- ranks ---- */

typedef struct ranks_job {
    const named_batch *batch;
    run runs[2];
} ranks_job;

static void train_rank(void *argument, const thaw_communicator *communicator)
{
    ranks_job *job = argument;
    thaw_context *context = support_context(1);
    thaw_dataset *data = make_data(context, job->batch);
    job->runs[communicator->rank] =
        train(context, data, "table", (thaw_fit_options){ .shards = 2, .test = data, .communicator = communicator });
    thaw_dataset_destroy(data);
    thaw_context_destroy(context);
}

Test(named_data, give_the_same_bits_on_ranks)
{
    named_batch batch;
    named_batch_fill(&batch, SAMPLES, 1);
    thaw_context *context = support_context(1);
    thaw_dataset *data = make_data(context, &batch);
    const run alone = train(context, data, "table", (thaw_fit_options){ .shards = 2, .test = data });
    ranks_job job = { .batch = &batch };
    run_ranks(2, train_rank, &job);
    assert_same(alone, job.runs[0]);
    assert_same(alone, job.runs[1]);
    free(alone.weights);
    thaw_dataset_destroy(data);
    thaw_context_destroy(context);
}

/* ---- checkpoints, and other calls ---- */

Test(named_data, continue_from_a_checkpoint)
{
    char folder[] = "/tmp/thaw-named-XXXXXX";
    cr_assert_not_null(mkdtemp(folder));
    thaw_context *context = support_context(2);
    named_batch batch;
    named_batch_fill(&batch, SAMPLES, 1);
    thaw_dataset *data = make_data(context, &batch);
    const run whole = train(context, data, NULL, (thaw_fit_options){ 0 });
    thaw_model *model = named_network(context, "adam:lr=1e-2");
    thaw_trainer *trainer = NULL;
    const thaw_fit_options options = { .epochs = EPOCHS, .batch = BATCH };
    char path[64];
    snprintf(path, sizeof path, "%s/run", folder);
    assert_ok(context, thaw_trainer_create(model, data, &options, &trainer));
    for (int i = 0; i < 7; i++)
        assert_ok(context, thaw_trainer_step(trainer, NULL));
    assert_ok(context, thaw_trainer_save(trainer, path));
    thaw_trainer_destroy(trainer);
    thaw_model_destroy(model);
    model = named_network(context, "adam:lr=1e-2");
    assert_ok(context, thaw_trainer_create(model, data, &options, &trainer));
    assert_ok(context, thaw_trainer_load(trainer, path));
    while (!thaw_trainer_done(trainer))
        assert_ok(context, thaw_trainer_step(trainer, NULL));
    size_t count;
    float *weights = support_weights(model, &count);
    cr_assert_arr_eq(weights, whole.weights, count * sizeof(float));
    free(weights);
    free(whole.weights);
    thaw_trainer_destroy(trainer);
    thaw_model_destroy(model);
    thaw_dataset_destroy(data);
    thaw_context_destroy(context);
    unlink(path);
    rmdir(folder);
}

Test(named_data, have_a_rate_to_find)
{
    thaw_context *context = support_context(1);
    named_batch batch;
    named_batch_fill(&batch, SAMPLES, 1);
    const thaw_tensor swapped[] = { batch.inputs[1], batch.inputs[0] };
    thaw_dataset *data = make_data(context, &batch), *other = NULL;
    assert_ok(context, thaw_dataset_from_fields(context, swapped, (const char *[]){ "numbers", "ids" }, 2,
                                                &batch.targets, NAMED_CLASSES, &other));
    thaw_rate_result results[2];
    for (int i = 0; i < 2; i++) {
        thaw_model *model = named_network(context, "sgd:lr=0.1");
        assert_ok(context, thaw_find_rate(model, i ? other : data,
                                          &(thaw_rate_options){ .steps = 20, .batch = BATCH, .to = 0.5 }, &results[i]));
        thaw_model_destroy(model);
    }
    cr_assert_eq(results[0].count, results[1].count);
    for (size_t i = 0; i < results[0].count; i++)
        cr_assert_float_eq(results[0].points[i].loss, results[1].points[i].loss, 0);
    for (int i = 0; i < 2; i++)
        thaw_release(context, results[i].points);
    thaw_dataset_destroy(data);
    thaw_dataset_destroy(other);
    thaw_context_destroy(context);
}
