/* Averaged weights of runs that are cut and continued, or spread over threads and ranks, have the same bits. */
#include <stdlib.h>
#include <string.h>

#include "support/files.h"
#include "support/network.h"
#include "support/ranks.h"

enum { SAMPLES = 40, BATCH = 8, STEPS = 5, EPOCHS = 4 };

static char directory[SUPPORT_PATH_BYTES], saved[SUPPORT_PATH_BYTES], average[SUPPORT_PATH_BYTES];

static void begin(void)
{
    support_make_directory(directory);
    support_path(saved, directory, "run.safetensors");
    support_path(average, directory, "average.safetensors");
}

static void end(void)
{
    support_remove_directory(directory);
}

TestSuite(average_continuing, .init = begin, .fini = end);

/* conv1 freezes after it has trained, and thaws; dense1 gets adapters; dense2 thaws late. */
static const thaw_strategy_rule rules[] = {
    { .epoch = 1, .pattern = "dense2", .action = THAW_ACTION_FREEZE },
    { .epoch = 2, .pattern = "conv*", .action = THAW_ACTION_FREEZE },
    { .epoch = 2, .pattern = "dense1.weight", .action = THAW_ACTION_LORA, .value = 2 },
    { .epoch = 3, .pattern = "dense2", .action = THAW_ACTION_UNFREEZE },
    { .epoch = 4, .pattern = "conv2", .action = THAW_ACTION_UNFREEZE },
};
static const thaw_strategy strategy = { .name = "own", .rules = rules, .rule_count = THAW_COUNT(rules) };

typedef struct run {
    thaw_context *context;
    thaw_model *model;
    thaw_dataset *data, *test;
    thaw_trainer *trainer;
    double test_loss;
    float *weights, *averages; /* at its end */
    size_t count;
} run;

static run open_run(int threads, double decay, int64_t shards, const thaw_communicator *communicator)
{
    run now = { .context = support_context(threads) };
    now.model = support_network(now.context, true);
    now.data = support_samples(now.context, SAMPLES, 3);
    now.test = support_samples(now.context, 20, 4);
    support_optimize(now.model, "adam:lr=0.02");
    const thaw_fit_options options = { .epochs = EPOCHS,
                                       .batch = BATCH,
                                       .shards = shards,
                                       .average_decay = decay,
                                       .strategy = &strategy,
                                       .cache_bytes = 1 << 20,
                                       .test = now.test,
                                       .communicator = communicator };
    assert_ok(now.context, thaw_trainer_create(now.model, now.data, &options, &now.trainer));
    return now;
}

static void finish(run *now)
{
    while (!thaw_trainer_done(now->trainer))
        assert_ok(now->context, thaw_trainer_epoch(now->trainer, NULL));
    now->test_loss = thaw_trainer_result(now->trainer)->test_loss;
    now->weights = support_weights(now->model, &now->count);
    assert_ok(now->context, thaw_trainer_use_average(now->trainer, true));
    now->averages = support_weights(now->model, &now->count);
}

static void close_run(run *now)
{
    thaw_trainer_destroy(now->trainer);
    thaw_dataset_destroy(now->data);
    thaw_dataset_destroy(now->test);
    thaw_model_destroy(now->model);
    thaw_context_destroy(now->context);
    free(now->weights);
    free(now->averages);
}

static void compare(const run *found, const run *wanted, const char *what, int number)
{
    const size_t bytes = wanted->count * sizeof(float);
    cr_assert_eq(found->count, wanted->count);
    cr_assert_eq(memcmp(found->weights, wanted->weights, bytes), 0, "%s %d: other weights", what, number);
    cr_assert_eq(memcmp(found->averages, wanted->averages, bytes), 0, "%s %d: other averages", what, number);
    cr_assert_eq(found->test_loss, wanted->test_loss, "%s %d: test loss %.17g, wanted %.17g", what, number,
                 found->test_loss, wanted->test_loss);
}

Test(average_continuing, a_cut_run_has_the_same_averages)
{
    run whole = open_run(2, 0.9, 1, NULL);
    finish(&whole);
    cr_assert_neq(memcmp(whole.weights, whole.averages, whole.count * sizeof(float)), 0);
    for (int cut = 1; cut < STEPS * EPOCHS; cut++) {
        run first = open_run(2, 0.9, 1, NULL), second = open_run(2, 0.9, 1, NULL);
        for (int i = 0; i < cut; i++)
            assert_ok(first.context, thaw_trainer_step(first.trainer, NULL));
        if (cut % 2) /* saving puts the weights back */
            assert_ok(first.context, thaw_trainer_use_average(first.trainer, true));
        assert_ok(first.context, thaw_trainer_save(first.trainer, saved));
        if (cut % 3 == 0) /* loading drops what the second run has averaged */
            assert_ok(second.context, thaw_trainer_step(second.trainer, NULL));
        assert_ok(second.context, thaw_trainer_load(second.trainer, saved));
        finish(&second);
        compare(&second, &whole, "cut after step", cut);
        close_run(&first);
        close_run(&second);
    }
    close_run(&whole);
}

Test(average_continuing, another_decay_is_another_run)
{
    run first = open_run(1, 0.9, 1, NULL), other = open_run(1, 0.5, 1, NULL), without = open_run(1, 0, 1, NULL);
    assert_ok(first.context, thaw_trainer_step(first.trainer, NULL));
    assert_ok(first.context, thaw_trainer_save(first.trainer, saved));
    assert_fails(other.context, thaw_trainer_load(other.trainer, saved), THAW_INVALID_ARGUMENT,
                 "decay of averaged weights: 0.9");
    assert_fails(without.context, thaw_trainer_load(without.trainer, saved), THAW_INVALID_ARGUMENT,
                 "decay of averaged weights: 0.9");
    close_run(&first);
    close_run(&other);
    close_run(&without);
}

/* ---------------------------------------------------------------- ranks */

static run on_rank[4];

static void train_rank(void *argument, const thaw_communicator *communicator)
{
    (void)argument;
    run *now = &on_rank[communicator->rank];
    *now = open_run(1, 0.9, 4, communicator);
    finish(now);
}

Test(average_continuing, ranks_have_the_averages_of_one)
{
    run alone = open_run(1, 0.9, 4, NULL);
    finish(&alone);
    for (int ranks = 2; ranks <= 4; ranks += 2) {
        run_ranks(ranks, train_rank, NULL);
        for (int i = 0; i < ranks; i++) {
            compare(&on_rank[i], &alone, "rank", i);
            close_run(&on_rank[i]);
        }
    }
    close_run(&alone);
}

static void disagree(void *argument, const thaw_communicator *communicator)
{
    (void)argument;
    run now = open_run(1, communicator->rank ? 0.8 : 0.9, 2, communicator);
    assert_fails(now.context, thaw_trainer_step(now.trainer, NULL), THAW_INVALID_ARGUMENT, "the averaged weights");
    close_run(&now);
}

Test(average_continuing, ranks_must_agree)
{
    run_ranks(2, disagree, NULL);
}
