/* Training on several ranks: the bits of one, what must agree, and what becomes of the others when a rank fails. */
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/combined_network.h"
#include "support/files.h"
#include "support/network.h"
#include "support/ranks.h"

typedef thaw_model *build_model(thaw_context *context);

/* One run, and what each rank ends with. */
typedef struct run {
    build_model *build;
    const char *optimizer, *frozen;
    thaw_fit_options options;
    size_t samples;
    void (*spoil)(thaw_model *model, thaw_fit_options *options); /* of the last rank; NULL: it does as the others */
    size_t fewer;                                                /* samples of the last rank */
    float *weights[MOST_RANKS];
    size_t counts[MOST_RANKS];
    thaw_epoch_result results[MOST_RANKS];
    thaw_status statuses[MOST_RANKS];
    char messages[MOST_RANKS][THAW_REASON_BYTES];
} run;

static void train(void *argument, const thaw_communicator *communicator)
{
    run *taken = argument;
    const int own = communicator ? communicator->rank : 0;
    const bool last = communicator && own == communicator->ranks - 1;
    thaw_context *context = support_context(1);
    thaw_model *model = taken->build(context);
    thaw_dataset *data = support_samples(context, taken->samples - (last ? taken->fewer : 0), 3);
    support_optimize(model, taken->optimizer);
    if (taken->frozen)
        assert_ok(context, thaw_model_freeze(model, taken->frozen));
    thaw_fit_options options = taken->options;
    options.communicator = communicator;
    if (last && taken->spoil)
        taken->spoil(model, &options);
    taken->statuses[own] = thaw_fit(model, data, &options, &taken->results[own]);
    snprintf(taken->messages[own], THAW_REASON_BYTES, "%s", thaw_context_message(context));
    taken->weights[own] = support_weights(model, &taken->counts[own]);
    thaw_dataset_destroy(data);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

static void release(const run *taken)
{
    for (int i = 0; i < MOST_RANKS; i++)
        free(taken->weights[i]);
}

/* With and without ranks, all must end with the same bits. */
static void check_same(const run *wanted, const int *ranks, size_t count)
{
    run alone = *wanted;
    train(&alone, NULL);
    cr_assert_eq(alone.statuses[0], THAW_OK, "alone: %s", alone.messages[0]);
    for (size_t k = 0; k < count; k++) {
        run spread = *wanted;
        run_ranks(ranks[k], train, &spread);
        for (int i = 0; i < ranks[k]; i++) {
            cr_assert_eq(spread.statuses[i], THAW_OK, "rank %d of %d: %s", i, ranks[k], spread.messages[i]);
            cr_assert_eq(spread.counts[i], alone.counts[0]);
            cr_assert(memcmp(spread.weights[i], alone.weights[0], alone.counts[0] * sizeof(float)) == 0,
                      "rank %d of %d has other weights", i, ranks[k]);
            cr_assert_eq(spread.results[i].loss, alone.results[0].loss);
            cr_assert_eq(spread.results[i].accuracy, alone.results[0].accuracy);
        }
        release(&spread);
    }
    release(&alone);
}

static thaw_model *with_dropout(thaw_context *context)
{
    return support_network(context, true);
}

static thaw_model *normalised(thaw_context *context)
{
    thaw_model *model;
    thaw_node x;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ .rank = 3, .dims = { 9, 7, 2 } }, &x));
    assert_ok(context,
              thaw_conv2d(model, x, &(thaw_conv2d_options){ .name = "conv1", .filters = 3, .kernel = { 3, 3 } }, &x));
    assert_ok(context, thaw_batch_norm(model, x, NULL, &x));
    assert_ok(context, thaw_dropout(model, x, &(thaw_dropout_options){ .rate = 0.3 }, &x));
    assert_ok(context, thaw_flatten(model, x, NULL, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .units = NETWORK_CLASSES }, &x));
    assert_ok(context, thaw_softmax_cross_entropy(model, x, NULL, &x));
    return model;
}

/* Shards that are powers of two, and others, in ranks with 1 to 12 shards each. The last batch has 2 samples, and so
   fewer than shards: most ranks have none. */
Test(ranks, any_number_of_ranks_gives_the_same_bits)
{
    static const int fours[] = { 1, 2, 4 }, twelves[] = { 2, 3, 4, 6, 12 };
    check_same(&(run){ .build = with_dropout,
                       .optimizer = "adam:lr=0.01",
                       .frozen = "conv1",
                       .samples = 50,
                       .options = { .epochs = 3, .batch = 16, .shards = 4, .clip_norm = 0.5 } },
               fours, THAW_COUNT(fours));
    check_same(&(run){ .build = with_dropout,
                       .optimizer = "sgd:lr=0.05,momentum=0.9",
                       .samples = 50,
                       .options = { .epochs = 2, .batch = 24, .shards = 12 } },
               twelves, THAW_COUNT(twelves));
}

Test(ranks, statistics_and_combinations_have_the_same_bits)
{
    static const int some[] = { 2, 3, 6 };
    check_same(&(run){ .build = normalised,
                       .optimizer = "sgd:lr=0.05",
                       .samples = 40,
                       .options = { .epochs = 2, .batch = 18, .shards = 6 } },
               some, THAW_COUNT(some));
    check_same(&(run){ .build = support_combined_network,
                       .optimizer = "adam:lr=0.01",
                       .samples = 40,
                       .options = { .epochs = 2, .batch = 18, .shards = 6 } },
               some, THAW_COUNT(some));
}

/* ---- checkpoints ---- */

/* One epoch on `first` ranks, which the rank 0 saves, and another on `second`, from there. */
static void check_continues(const run *wanted, int first, int second, const char *folder)
{
    const thaw_checkpoint_options checkpoint = { .folder = folder, .resume = true };
    run begun = *wanted, parts = *wanted, alone = *wanted;
    begun.options.epochs = 1;
    begun.options.checkpoint = parts.options.checkpoint = checkpoint;
    run_ranks(first, train, &begun);
    cr_assert_eq(support_count_entries(folder), 1);
    run_ranks(second, train, &parts);
    train(&alone, NULL);
    for (int i = 0; i < second; i++) {
        cr_assert_eq(parts.statuses[i], THAW_OK, "rank %d of %d: %s", i, second, parts.messages[i]);
        cr_assert_eq(memcmp(parts.weights[i], alone.weights[0], alone.counts[0] * sizeof(float)), 0,
                     "rank %d of %d, after %d, has other weights", i, second, first);
    }
    release(&begun);
    release(&alone);
    release(&parts);
}

Test(ranks, a_run_continues_on_another_number_of_ranks)
{
    static const int numbers[][2] = { { 2, 4 }, { 4, 1 }, { 1, 2 } };
    const run wanted = { .build = with_dropout,
                         .optimizer = "adam:lr=0.01",
                         .samples = 50,
                         .options = { .epochs = 2, .batch = 16, .shards = 4 } };
    for (size_t k = 0; k < THAW_COUNT(numbers); k++) {
        char directory[SUPPORT_PATH_BYTES], folder[SUPPORT_PATH_BYTES];
        support_make_directory(directory);
        check_continues(&wanted, numbers[k][0], numbers[k][1], support_path(folder, directory, "run"));
        support_remove_tree(directory);
    }
}

/* ---- failing in a step ---- */

static void make_weight_infinite(thaw_model *model, const thaw_progress *progress)
{
    if (progress->step == 2)
        thaw_parameter_edit(thaw_model_find_parameter(model, "dense3.bias"))[0] = NAN;
}

static thaw_model *spoiled_model;

static bool spoil_step(void *user, const thaw_progress *progress)
{
    (void)user;
    make_weight_infinite(spoiled_model, progress);
    return true;
}

static void spoil_in_callback(thaw_model *model, thaw_fit_options *options)
{
    spoiled_model = model;
    options->on_step = spoil_step;
}

Test(ranks, a_rank_that_fails_in_a_step_stops_the_others, .timeout = 60)
{
    run taken = { .build = with_dropout,
                  .optimizer = "sgd:lr=0.01",
                  .samples = 40,
                  .spoil = spoil_in_callback,
                  .options = { .batch = 12, .shards = 6 } };
    run_ranks(3, train, &taken);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(taken.statuses[i], THAW_NOT_FINITE, "rank %d: %s", i, taken.messages[i]);
        cr_assert_not_null(strstr(taken.messages[i], "dense3.bias"), "rank %d: %s", i, taken.messages[i]);
        cr_assert(i == 2 || strstr(taken.messages[i], "rank 2: ") == taken.messages[i], "rank %d: %s", i,
                  taken.messages[i]);
    }
    cr_assert_arr_eq(taken.weights[0], taken.weights[1], taken.counts[0] * sizeof(float));
    release(&taken);
}

/* ---- what must agree ---- */

static void other_weight(thaw_model *model, thaw_fit_options *options)
{
    (void)options;
    float *values = thaw_parameter_edit(thaw_model_find_parameter(model, "dense2.weight"));
    values[5] = nextafterf(values[5], 1);
}

static void other_freezing(thaw_model *model, thaw_fit_options *options)
{
    (void)options;
    cr_assert_eq(thaw_model_freeze(model, "dense1"), THAW_OK);
}

static void other_slice(thaw_model *model, thaw_fit_options *options)
{
    (void)options;
    cr_assert_eq(thaw_freeze_slice(model, "dense2.weight", 0, 1, 2), THAW_OK);
}

static void other_optimizer(thaw_model *model, thaw_fit_options *options)
{
    (void)options;
    support_optimize(model, "sgd:lr=0.02");
}

static void other_binding(thaw_model *model, thaw_fit_options *options)
{
    (void)options;
    cr_assert_eq(thaw_lora(model, "dense1.weight", 2, 2), THAW_OK);
}

static void other_rate(thaw_model *model, thaw_fit_options *options)
{
    (void)options;
    cr_assert_eq(thaw_select_learning_rate(model, "conv1", 0.5), THAW_OK);
}

#define OTHER_OPTION(name, field, value)                           \
    static void name(thaw_model *model, thaw_fit_options *options) \
    {                                                              \
        (void)model;                                               \
        options->field = value;                                    \
    }
OTHER_OPTION(other_batch, batch, 24)
OTHER_OPTION(other_shards, shards, 12)
OTHER_OPTION(other_epochs, epochs, 7)
OTHER_OPTION(other_seed, seed, 99)
OTHER_OPTION(other_clipping, clip_norm, 2)
OTHER_OPTION(other_end, drop_last, true)
OTHER_OPTION(other_order, no_shuffle, true)
OTHER_OPTION(other_schedule, schedule.kind, THAW_SCHEDULE_COSINE)

static void check_disagreement(void (*spoil)(thaw_model *model, thaw_fit_options *options), size_t fewer,
                               const char *what)
{
    run taken = { .build = with_dropout,
                  .optimizer = "sgd:lr=0.01",
                  .samples = 40,
                  .fewer = fewer,
                  .spoil = spoil,
                  .options = { .batch = 12, .shards = 6 } };
    run_ranks(3, train, &taken);
    char wanted[THAW_REASON_BYTES];
    snprintf(wanted, sizeof wanted, "the ranks must agree, but rank 2 differs from rank 0 in %s", what);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(taken.statuses[i], THAW_INVALID_ARGUMENT, "%s: rank %d: %s", what, i, taken.messages[i]);
        cr_assert_str_eq(taken.messages[i], wanted);
    }
    release(&taken);
}

Test(ranks, disagreement_is_an_error_that_names_it, .timeout = 60)
{
    check_disagreement(other_weight, 0, "the weights");
    check_disagreement(other_freezing, 0, "what is frozen");
    check_disagreement(other_slice, 0, "what is frozen");
    check_disagreement(other_optimizer, 0, "the optimizers and their settings");
    check_disagreement(other_rate, 0, "the optimizers and their settings");
    check_disagreement(other_binding, 0, "the network");
    check_disagreement(NULL, 1, "the data set");
    check_disagreement(other_batch, 0, "the batch");
    check_disagreement(other_shards, 0, "the shards");
    check_disagreement(other_epochs, 0, "the epochs");
    check_disagreement(other_seed, 0, "the seed");
    check_disagreement(other_clipping, 0, "clip_norm");
    check_disagreement(other_end, 0, "drop_last");
    check_disagreement(other_order, 0, "no_shuffle");
    check_disagreement(other_schedule, 0, "the schedule");
}

static bool never(void *user, const thaw_message *messages, size_t count, void **request, char *reason)
{
    (void)user, (void)messages, (void)count, (void)request;
    snprintf(reason, THAW_REASON_BYTES, "the line is dead");
    return false;
}

static bool never_wait(void *user, void *request, char *reason)
{
    (void)user, (void)request, (void)reason;
    return false;
}

Test(ranks, communicators_that_do_not_work)
{
    thaw_context *context = support_context(1);
    thaw_model *model = support_network(context, false);
    support_optimize(model, "sgd:lr=0.1");
    thaw_communicator made = { THAW_COMMUNICATOR_HEAD, .rank = 1, .ranks = 3, .start = never, .wait = never_wait };
    assert_fails(context, thaw_ranks_agree(model, NULL, &made), THAW_IO_ERROR,
                 "rank 1 of 3 cannot reach the others: the line is dead");
    const thaw_step_options options = { .shards = 4, .communicator = &made };
    assert_fails(context, support_step(model, 12, 1, &options, NULL), THAW_INVALID_ARGUMENT,
                 "shards is 4, must be a multiple of the 3 ranks");
    const thaw_step_options uneven = { .shards = 6, .communicator = &made };
    assert_fails(context, support_step(model, 11, 1, &uneven, NULL), THAW_INVALID_ARGUMENT,
                 "11 samples on each rank, must be a multiple of the 2 shards");
    made.rank = 3;
    assert_fails(context, thaw_ranks_agree(model, NULL, &made), THAW_INVALID_ARGUMENT, "rank is 3 of 3");
    made.rank = 0;
    made.abi++;
    assert_fails(context, thaw_ranks_agree(model, NULL, &made), THAW_INVALID_ARGUMENT, "another version of Thaw");
    made.abi--;
    made.wait = NULL;
    assert_fails(context, thaw_ranks_agree(model, NULL, &made), THAW_INVALID_ARGUMENT, "must have `start` and `wait`");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* ---- checkpoints that the host loads ---- */

typedef struct loading {
    char paths[2][SUPPORT_PATH_BYTES]; /* of the run after one step, and after two */
    thaw_status statuses[MOST_RANKS];
    char messages[MOST_RANKS][THAW_REASON_BYTES];
} loading;

static void load_another(void *argument, const thaw_communicator *communicator)
{
    loading *taken = argument;
    const int own = communicator->rank;
    thaw_context *context = support_context(1);
    thaw_model *model = support_network(context, true);
    thaw_dataset *data = support_samples(context, 64, 3);
    thaw_trainer *trainer;
    support_optimize(model, "adam:lr=0.01");
    const thaw_fit_options options = { .epochs = 2, .batch = 16, .shards = 4, .communicator = communicator };
    assert_ok(context, thaw_trainer_create(model, data, &options, &trainer));
    for (int step = 0; step < 2; step++) {
        assert_ok(context, thaw_trainer_step(trainer, NULL));
        if (own == step)
            assert_ok(context, thaw_trainer_save(trainer, taken->paths[step]));
    }
    assert_ok(context, thaw_trainer_step(trainer, NULL)); /* so that both files are there */
    assert_ok(context, thaw_trainer_load(trainer, taken->paths[own]));
    taken->statuses[own] = thaw_trainer_step(trainer, NULL);
    snprintf(taken->messages[own], THAW_REASON_BYTES, "%s", thaw_context_message(context));
    assert_ok(context, thaw_trainer_load(trainer, taken->paths[0]));
    assert_ok(context, thaw_trainer_step(trainer, NULL));
    cr_assert_eq(thaw_trainer_position_of(trainer).all_steps, 2);
    thaw_trainer_destroy(trainer);
    thaw_dataset_destroy(data);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(ranks, all_must_load_the_same_checkpoint, .timeout = 60)
{
    loading taken = { 0 };
    char directory[SUPPORT_PATH_BYTES];
    support_make_directory(directory);
    support_path(taken.paths[0], directory, "one");
    support_path(taken.paths[1], directory, "two");
    run_ranks(2, load_another, &taken);
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(taken.statuses[i], THAW_INVALID_ARGUMENT, "rank %d: %s", i, taken.messages[i]);
        cr_assert_str_eq(taken.messages[i],
                         "the ranks must agree, but rank 1 differs from rank 0 in the position in the run");
    }
    support_remove_tree(directory);
}
