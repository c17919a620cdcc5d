/* What ranks must agree in, and communicators that do not work. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "support/files.h"
#include "support/network.h"
#include "train/rank_run.h"

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
    rank_run taken = { .build = rank_run_network,
                       .optimizer = "sgd:lr=0.01",
                       .samples = 40,
                       .fewer = fewer,
                       .spoil = spoil,
                       .options = { .batch = 12, .shards = 6 } };
    run_ranks(3, rank_run_train, &taken);
    char wanted[THAW_REASON_BYTES];
    snprintf(wanted, sizeof wanted, "the ranks must agree, but rank 2 differs from rank 0 in %s", what);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(taken.statuses[i], THAW_INVALID_ARGUMENT, "%s: rank %d: %s", what, i, taken.messages[i]);
        cr_assert_str_eq(taken.messages[i], wanted);
    }
    rank_run_release(&taken);
}

Test(rank_agreement, disagreement_is_an_error_that_names_it, .timeout = 60)
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

Test(rank_agreement, all_must_load_the_same_checkpoint, .timeout = 60)
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

Test(rank_agreement, communicators_that_do_not_work)
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
