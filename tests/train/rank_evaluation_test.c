/* Evaluation on several ranks: each reads and computes its share of the batches, and all get the figures of one. */
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "support/network.h"
#include "support/ranks.h"

enum { SAMPLES = 50, BATCH = 7, FEATURES = 3, CLASSES = 4, IGNORED = 2 };

static atomic_size_t reads[MOST_RANKS][SAMPLES]; /* by rank and sample */
static int broken;                               /* the rank on which sample 33 cannot be read; -1: none */

static bool read_samples(void *user, const size_t *indices, size_t count, float *samples, void *targets, char *message,
                         size_t capacity)
{
    atomic_size_t *counts = user;
    for (size_t i = 0; i < count; i++) {
        atomic_fetch_add(&counts[indices[i]], 1);
        if (indices[i] == 33 && broken >= 0 && counts == reads[broken]) {
            snprintf(message, capacity, "sample 33 is broken");
            return false;
        }
        support_fill(samples + i * FEATURES, FEATURES, (uint32_t)indices[i]);
        ((int32_t *)targets)[i] = (int32_t)(indices[i] * 7 % CLASSES);
    }
    return true;
}

static thaw_dataset *samples_of(thaw_context *context, int rank)
{
    thaw_dataset *data;
    const thaw_source source = { .count = SAMPLES,
                                 .sample_shape = { 1, { FEATURES } },
                                 .target_dtype = THAW_I32,
                                 .classes = CLASSES,
                                 .read = read_samples,
                                 .user = reads[rank] };
    assert_ok(context, thaw_dataset_create(context, &source, &data));
    return data;
}

/* Of a loss that ignores a label, and weights the others: the weights of batches differ. */
static thaw_model *build(thaw_context *context)
{
    static const float weights[CLASSES] = { 1, 3, 0.5F, 2 };
    const thaw_softmax_cross_entropy_options loss = { .use_ignore_label = true,
                                                      .ignore_label = IGNORED,
                                                      .class_weights = weights };
    thaw_model *model;
    thaw_node x;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ 1, { FEATURES } }, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .units = CLASSES }, &x));
    assert_ok(context, thaw_softmax_cross_entropy(model, x, &loss, &x));
    support_optimize(model, "adam:lr=0.01");
    return model;
}

typedef struct outcome {
    thaw_evaluation found, again; /* by a call, and by a trainer after an epoch */
    double test_loss;
    thaw_status status;
    char message[THAW_REASON_BYTES];
} outcome;

static void evaluate(void *argument, const thaw_communicator *communicator)
{
    const int rank = communicator ? communicator->rank : 0;
    outcome *own = (outcome *)argument + rank;
    thaw_context *context = support_context(1);
    thaw_model *model = build(context);
    thaw_dataset *data = samples_of(context, rank);
    for (size_t i = 0; i < SAMPLES; i++)
        atomic_store(&reads[rank][i], 0);
    own->status = communicator ? thaw_ranks_evaluate(model, data, BATCH, communicator, &own->found)
                               : thaw_evaluate(model, data, BATCH, &own->found);
    snprintf(own->message, sizeof own->message, "%s", thaw_context_message(context));
    thaw_dataset_destroy(data);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

static void compare(const thaw_evaluation *found, const thaw_evaluation *wanted, int rank, int ranks)
{
    cr_assert_eq(found->loss, wanted->loss, "rank %d of %d: loss %.17g, alone %.17g", rank, ranks, found->loss,
                 wanted->loss);
    cr_assert_eq(found->accuracy, wanted->accuracy, "rank %d of %d: accuracy %.17g, alone %.17g", rank, ranks,
                 found->accuracy, wanted->accuracy);
    cr_assert_eq(found->samples, wanted->samples, "rank %d of %d: %zu samples", rank, ranks, found->samples);
}

/* There are 8 batches, and so 12 ranks have more than enough. */
Test(rank_evaluation, any_number_of_ranks_gives_the_same_figures)
{
    static const int numbers[] = { 1, 2, 3, 4, 12 };
    outcome alone, spread[MOST_RANKS];
    broken = -1;
    evaluate(&alone, NULL);
    cr_assert_eq(alone.found.samples, SAMPLES);
    cr_assert(isfinite(alone.found.loss) && alone.found.accuracy > 0 && alone.found.accuracy < 1);
    for (size_t k = 0; k < THAW_COUNT(numbers); k++) {
        run_ranks(numbers[k], evaluate, spread);
        for (int i = 0; i < numbers[k]; i++) {
            cr_assert_eq(spread[i].status, THAW_OK, "rank %d: %s", i, spread[i].message);
            compare(&spread[i].found, &alone.found, i, numbers[k]);
        }
        for (size_t sample = 0; sample < SAMPLES; sample++) {
            size_t all = 0;
            for (int i = 0; i < numbers[k]; i++)
                all += atomic_load(&reads[i][sample]);
            cr_assert_eq(all, 1, "%d ranks read sample %zu %zu times", numbers[k], sample, all);
        }
    }
}

/* Sample 33 is in batch 4, the first of rank 1 of 2. */
Test(rank_evaluation, a_rank_that_cannot_read_stops_the_others, .timeout = 60)
{
    outcome spread[MOST_RANKS];
    broken = 1;
    run_ranks(2, evaluate, spread);
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(spread[i].status, THAW_IO_ERROR, "rank %d: %s", i, thaw_status_name(spread[i].status));
        cr_assert_not_null(strstr(spread[i].message, "sample 33 is broken"), "rank %d: %s", i, spread[i].message);
        cr_assert(isnan(spread[i].found.loss));
    }
}

/* ---------------------------------------------------------------- trainers */

static void train(void *argument, const thaw_communicator *communicator)
{
    const int rank = communicator ? communicator->rank : 0;
    outcome *own = (outcome *)argument + rank;
    thaw_context *context = support_context(1);
    thaw_model *model = build(context);
    thaw_dataset *data = samples_of(context, rank), *test = samples_of(context, rank);
    thaw_trainer *trainer;
    const thaw_fit_options options = { .epochs = 3,
                                       .batch = 12,
                                       .shards = 4,
                                       .test = test,
                                       .best = { .monitor = THAW_MONITOR_TEST_LOSS, .patience = 2 },
                                       .communicator = communicator };
    assert_ok(context, thaw_trainer_create(model, data, &options, &trainer));
    assert_ok(context, thaw_trainer_evaluate(trainer, &own->found)); /* the first exchange of all: ranks agree */
    assert_ok(context, thaw_trainer_epoch(trainer, NULL));
    own->test_loss = thaw_trainer_result(trainer)->test_loss;
    assert_ok(context, thaw_trainer_evaluate(trainer, &own->again));
    thaw_trainer_destroy(trainer);
    thaw_dataset_destroy(data);
    thaw_dataset_destroy(test);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(rank_evaluation, trainers_have_the_figures_of_one)
{
    outcome alone, spread[MOST_RANKS];
    broken = -1;
    train(&alone, NULL);
    cr_assert_eq(alone.test_loss, alone.again.loss);
    cr_assert_neq(alone.found.loss, alone.again.loss);
    for (int ranks = 2; ranks <= 4; ranks += 2) {
        run_ranks(ranks, train, spread);
        for (int i = 0; i < ranks; i++) {
            compare(&spread[i].found, &alone.found, i, ranks);
            compare(&spread[i].again, &alone.again, i, ranks);
            cr_assert_eq(spread[i].test_loss, alone.test_loss);
        }
    }
}
