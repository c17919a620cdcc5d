/* The best epoch of a run, its weights in a file, and the early end. Test data whose labels follow a script give each
   epoch its accuracy; what is best then is written down by hand. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/faults.h"
#include "support/files.h"
#include "support/network.h"
#include "support/ranks.h"

enum { CLASSES = 3, TESTED = 10, SAMPLES = 12, BATCH = 4, STEPS = 3, EPOCHS = 9, BROKEN = -1 };

static char directory[SUPPORT_PATH_BYTES], file[SUPPORT_PATH_BYTES], saved[SUPPORT_PATH_BYTES];

static void begin(void)
{
    support_make_directory(directory);
    support_path(file, directory, "best.safetensors");
    support_path(saved, directory, "run.safetensors");
}

static void end(void)
{
    support_remove_directory(directory);
}

TestSuite(best, .init = begin, .fini = end);

/* ---------------------------------------------------------------- a run by script */

typedef struct run {
    float values[SAMPLES * CLASSES];
    int32_t labels[SAMPLES];
    thaw_context *context;
    thaw_model *model;
    thaw_dataset *data, *test;
    thaw_trainer *trainer;
    thaw_fit_options options;
    const int *correct;         /* of TESTED, by epoch; BROKEN: the samples are NaN */
    char warning[512];          /* the last one */
    float *kept;                /* weights of the epoch that on_epoch calls the best */
    int ended;                  /* epochs */
    thaw_best told[EPOCHS + 1]; /* to on_epoch, by epoch */
    double losses[EPOCHS + 1];  /* of training */
    double test_losses[EPOCHS + 1];
} run;

static void note(void *user, thaw_log_level level, const char *message)
{
    run *now = user;
    if (level == THAW_LOG_WARNING)
        snprintf(now->warning, sizeof now->warning, "%s", message);
}

/* Sample i is the unit vector of class i % CLASSES, which the network recognises; the first ones have that label. */
static bool read_script(void *user, const size_t *indices, size_t count, float *samples, void *targets, char *message,
                        size_t capacity)
{
    const run *now = user;
    (void)message, (void)capacity;
    const int correct = now->correct ? now->correct[thaw_trainer_position_of(now->trainer).epoch - 1] : TESTED;
    for (size_t i = 0; i < count; i++) {
        const int shown = (int)(indices[i] % CLASSES);
        for (int k = 0; k < CLASSES; k++)
            samples[i * CLASSES + (size_t)k] = correct == BROKEN ? NAN : k == shown;
        ((int32_t *)targets)[i] = (int)indices[i] < correct ? shown : (shown + 1) % CLASSES;
    }
    return true;
}

static bool on_epoch(void *user, const thaw_epoch_result *result)
{
    run *now = user;
    size_t count;
    now->ended = result->epoch;
    now->told[result->epoch] = result->best;
    now->losses[result->epoch] = result->loss;
    now->test_losses[result->epoch] = result->test_loss;
    if (result->best.epoch == result->epoch) {
        free(now->kept);
        now->kept = support_weights(now->model, &count);
    }
    return true;
}

static void build(run *now)
{
    static const float identity[CLASSES * CLASSES] = { 9, 0, 0, 0, 9, 0, 0, 0, 9 };
    thaw_node x;
    assert_ok(now->context, thaw_model_create(now->context, &now->model));
    assert_ok(now->context, thaw_input(now->model, &(thaw_shape){ 1, { CLASSES } }, &x));
    assert_ok(now->context, thaw_dense(now->model, x, &(thaw_dense_options){ .name = "d", .units = CLASSES }, &x));
    assert_ok(now->context, thaw_softmax_cross_entropy(now->model, x, NULL, &x));
    memcpy(thaw_parameter_edit(thaw_model_find_parameter(now->model, "d.weight")), identity, sizeof identity);
    support_optimize(now->model, "sgd:lr=0.001,momentum=0.9");
}

static thaw_status open_run(run *now, const int *correct, const thaw_fit_options *options)
{
    const int64_t count = SAMPLES;
    *now = (run){ .correct = correct, .options = *options };
    cr_assert_eq(thaw_context_create(&(thaw_context_options){ .threads = 1, .seed = 1, .log = note, .log_user = now },
                                     &now->context),
                 THAW_OK);
    build(now);
    support_fill(now->values, SAMPLES * CLASSES, 7);
    for (int i = 0; i < SAMPLES; i++)
        now->labels[i] = i % CLASSES;
    const thaw_tensor inputs = thaw_view_f32(now->values, 2, (const int64_t[]){ SAMPLES, CLASSES });
    const thaw_tensor targets = thaw_view_i32(now->labels, 1, &count);
    assert_ok(now->context, thaw_dataset_from_arrays(now->context, &inputs, &targets, CLASSES, &now->data));
    const thaw_source script = {
        .count = TESTED,
        .sample_shape = { 1, { CLASSES } },
        .target_dtype = THAW_I32,
        .classes = CLASSES,
        .identity = { 1, 2 },
        .read = read_script,
        .user = now,
    };
    assert_ok(now->context, thaw_dataset_create(now->context, &script, &now->test));
    now->options.epochs = now->options.epochs ? now->options.epochs : EPOCHS;
    now->options.batch = BATCH;
    now->options.test = correct ? now->test : NULL;
    now->options.on_epoch = on_epoch;
    now->options.user = now;
    return thaw_trainer_create(now->model, now->data, &now->options, &now->trainer);
}

static void close_run(run *now)
{
    thaw_trainer_destroy(now->trainer);
    thaw_dataset_destroy(now->data);
    thaw_dataset_destroy(now->test);
    thaw_model_destroy(now->model);
    thaw_context_destroy(now->context);
    free(now->kept);
}

static void finish(run *now)
{
    while (!thaw_trainer_done(now->trainer))
        assert_ok(now->context, thaw_trainer_epoch(now->trainer, NULL));
}

/* Whether the file holds these weights. */
static bool holds(const run *now, const float *weights)
{
    run other = { .context = now->context };
    size_t count;
    build(&other);
    assert_ok(now->context, thaw_weights_load(other.model, file, NULL, NULL));
    float *there = support_weights(other.model, &count);
    const bool same = memcmp(there, weights, count * sizeof *there) == 0;
    free(there);
    thaw_model_destroy(other.model);
    return same;
}

/* ---------------------------------------------------------------- by hand */

/* Epochs 3 and 5 are as good as epoch 2, not better; epoch 6 is. */
static const int script[EPOCHS] = { 3, 5, 5, 4, 5, 7, 6, 7, 2 };
static const int best_epochs[EPOCHS] = { 1, 2, 2, 2, 2, 6, 6, 6, 6 };
static const int waits[EPOCHS] = { 0, 0, 1, 2, 3, 0, 1, 2, 3 };

Test(best, only_a_strictly_better_epoch_counts)
{
    run now;
    size_t count;
    assert_ok(now.context, open_run(&now, script, &(thaw_fit_options){ .best = { .file = file } }));
    finish(&now);
    cr_assert_eq(now.ended, EPOCHS, "without patience the run does not end early");
    for (int epoch = 1; epoch <= EPOCHS; epoch++) {
        const thaw_best *told = &now.told[epoch];
        cr_assert_eq(told->monitor, THAW_MONITOR_TEST_ACCURACY);
        cr_assert_eq(told->epoch, best_epochs[epoch - 1], "after epoch %d: %d", epoch, told->epoch);
        cr_assert_eq(told->value, script[told->epoch - 1] / (double)TESTED);
        cr_assert_eq(told->waited, waits[epoch - 1], "after epoch %d: %d", epoch, told->waited);
        cr_assert_eq(told->saved, told->epoch);
    }
    float *last = support_weights(now.model, &count);
    cr_assert(holds(&now, now.kept), "the file does not have the weights of epoch 6");
    cr_assert_not(holds(&now, last), "the file has the last weights");
    free(last);
    close_run(&now);
}

Test(best, patience_ends_the_run)
{
    static const int ends[] = { EPOCHS, 3, 4, 5, EPOCHS }; /* by patience; 4 is longer than any wait */
    for (int patience = 1; patience < (int)THAW_COUNT(ends); patience++) {
        run now;
        assert_ok(now.context,
                  open_run(&now, script, &(thaw_fit_options){ .best = { .file = file, .patience = patience } }));
        finish(&now);
        cr_assert_eq(now.ended, ends[patience], "patience %d: epoch %d", patience, now.ended);
        cr_assert(holds(&now, now.kept));
        if (now.ended < EPOCHS)
            assert_fails(now.context, thaw_trainer_step(now.trainer, NULL), THAW_INVALID_ARGUMENT,
                         "no epoch since 2 was better");
        close_run(&now);
    }
}

/* The loss of a sample that is NaN is NaN, and nothing is counted as correct. */
Test(best, not_a_number_is_never_better)
{
    static const int broken[EPOCHS] = { BROKEN, BROKEN, 4, BROKEN, 8, BROKEN, BROKEN, BROKEN, BROKEN };
    static const int epochs[EPOCHS] = { 0, 0, 3, 3, 5, 5, 5, 5, 5 }, waited[EPOCHS] = { 1, 2, 0, 1, 0, 1, 2, 3, 4 };
    run now;
    const thaw_best_options by_loss = { .monitor = THAW_MONITOR_TEST_LOSS, .patience = 4 };
    assert_ok(now.context, open_run(&now, broken, &(thaw_fit_options){ .best = by_loss }));
    finish(&now);
    cr_assert_eq(now.ended, EPOCHS);
    for (int epoch = 1; epoch <= EPOCHS; epoch++) {
        cr_assert_eq(isnan(now.test_losses[epoch]), broken[epoch - 1] == BROKEN);
        cr_assert_eq(now.told[epoch].epoch, epochs[epoch - 1], "after epoch %d: %d", epoch, now.told[epoch].epoch);
        cr_assert_eq(now.told[epoch].waited, waited[epoch - 1]);
        cr_assert_eq(isnan(now.told[epoch].value), epoch < 3);
        cr_assert_eq(now.told[epoch].saved, 0);
    }
    close_run(&now);
}

/* The least of all losses up to each epoch, by a loop of the test's own. */
static void check_least(const run *now, const double *losses, thaw_monitor monitor)
{
    int least = 1;
    for (int epoch = 1; epoch <= now->ended; epoch++) {
        least = losses[epoch] < losses[least] ? epoch : least;
        cr_assert_eq(now->told[epoch].monitor, monitor);
        cr_assert_eq(now->told[epoch].epoch, least, "after epoch %d: %d, not %d", epoch, now->told[epoch].epoch, least);
        cr_assert_eq(now->told[epoch].value, losses[least]);
    }
}

Test(best, losses_are_better_if_they_are_lower)
{
    run now;
    assert_ok(now.context,
              open_run(&now, script, &(thaw_fit_options){ .best = { .monitor = THAW_MONITOR_TEST_LOSS } }));
    finish(&now);
    check_least(&now, now.test_losses, THAW_MONITOR_TEST_LOSS);
    cr_assert_eq(now.told[EPOCHS].epoch > 1 && now.told[EPOCHS].epoch < EPOCHS, true, "the script decides nothing");
    close_run(&now);
    assert_ok(now.context, open_run(&now, script, &(thaw_fit_options){ .best = { .monitor = THAW_MONITOR_LOSS } }));
    finish(&now);
    check_least(&now, now.losses, THAW_MONITOR_LOSS);
    close_run(&now);
    assert_ok(now.context, open_run(&now, NULL, &(thaw_fit_options){ 0 }));
    finish(&now);
    check_least(&now, now.losses, THAW_MONITOR_LOSS);
    close_run(&now);
}

Test(best, what_has_no_meaning_is_refused)
{
    static const struct {
        thaw_best_options options;
        bool tests;
        const char *message;
    } wrong[] = {
        { { .patience = -1 }, true, "patience is -1" },
        { { .monitor = (thaw_monitor)7 }, true, "monitor is 7" },
        { { .monitor = THAW_MONITOR_TEST_ACCURACY }, false, "monitor the test accuracy, but has no test data" },
        { { .monitor = THAW_MONITOR_TEST_LOSS }, false, "monitor the test loss, but has no test data" },
    };
    for (size_t i = 0; i < THAW_COUNT(wrong); i++) {
        run now;
        const thaw_status status =
            open_run(&now, wrong[i].tests ? script : NULL, &(thaw_fit_options){ .best = wrong[i].options });
        assert_fails(now.context, status, THAW_INVALID_ARGUMENT, wrong[i].message);
        close_run(&now);
    }
}

/* ---------------------------------------------------------------- a disk that is full */

Test(best, a_full_disk_costs_the_file_and_not_the_run)
{
    run now;
    assert_ok(now.context, open_run(&now, script, &(thaw_fit_options){ .best = { .file = file } }));
    assert_ok(now.context, thaw_trainer_epoch(now.trainer, NULL));
    float *first = now.kept;
    now.kept = NULL;
    support_faults_arm_from(1, ENOSPC);
    assert_ok(now.context, thaw_trainer_epoch(now.trainer, NULL));
    cr_assert(support_faults_disarm(), "nothing was written");
    cr_assert_not_null(strstr(now.warning, "the weights of epoch 2, the best so far, are not saved: "), "%s",
                       now.warning);
    cr_assert_not_null(strstr(now.warning, strerror(ENOSPC)), "%s", now.warning);
    cr_assert_eq(now.told[2].epoch, 2);
    cr_assert_eq(now.told[2].saved, 1);
    cr_assert(holds(&now, first), "the weights of epoch 1 are lost");
    cr_assert_eq(support_count_entries(directory), 1);
    free(first);
    finish(&now);
    cr_assert_eq(now.told[EPOCHS].saved, 6);
    cr_assert(holds(&now, now.kept));
    close_run(&now);
}

/* ---------------------------------------------------------------- continuing */

/* A run that is cut after each step in turn ends where it would have, with the same file. */
Test(best, a_run_that_continues_decides_alike)
{
    const thaw_fit_options options = { .best = { .file = file, .patience = 3 } };
    run whole, first, second;
    assert_ok(whole.context, open_run(&whole, script, &options));
    finish(&whole);
    cr_assert_eq(whole.ended, 5);
    for (int cut = 1; cut < 5 * STEPS; cut++) {
        unlink(file);
        assert_ok(first.context, open_run(&first, script, &options));
        for (int i = 0; i < cut; i++)
            assert_ok(first.context, thaw_trainer_step(first.trainer, NULL));
        assert_ok(first.context, thaw_trainer_save(first.trainer, saved));
        assert_ok(second.context, open_run(&second, script, &options));
        assert_ok(second.context, thaw_trainer_load(second.trainer, saved));
        const thaw_best restored = thaw_trainer_result(second.trainer)->best;
        const int before = cut / STEPS;
        cr_assert_eq(restored.epoch, before ? best_epochs[before - 1] : 0, "cut after step %d", cut);
        cr_assert_eq(restored.saved, restored.epoch);
        finish(&second);
        cr_assert_eq(second.ended, whole.ended, "cut after step %d: ends after epoch %d", cut, second.ended);
        cr_assert_eq(memcmp(&second.told[5], &whole.told[5], sizeof whole.told[5]), 0, "cut after step %d", cut);
        cr_assert(holds(&second, whole.kept), "cut after step %d: other best weights", cut);
        close_run(&first);
        close_run(&second);
    }
    close_run(&whole);
}

Test(best, more_patience_continues_a_run_that_has_ended)
{
    run now;
    assert_ok(now.context, open_run(&now, script, &(thaw_fit_options){ .best = { .patience = 1 } }));
    finish(&now);
    assert_ok(now.context, thaw_trainer_save(now.trainer, saved));
    close_run(&now);
    assert_ok(now.context, open_run(&now, script, &(thaw_fit_options){ .best = { .patience = 1 } }));
    assert_ok(now.context, thaw_trainer_load(now.trainer, saved));
    cr_assert(thaw_trainer_done(now.trainer));
    close_run(&now);
    assert_ok(now.context, open_run(&now, script, &(thaw_fit_options){ .best = { .patience = 4 } }));
    assert_ok(now.context, thaw_trainer_load(now.trainer, saved));
    finish(&now);
    cr_assert_eq(now.ended, EPOCHS);
    cr_assert_eq(now.told[EPOCHS].epoch, 6);
    close_run(&now);
}

Test(best, another_figure_begins_anew)
{
    run now;
    assert_ok(now.context, open_run(&now, script, &(thaw_fit_options){ 0 }));
    for (int i = 0; i < 2; i++)
        assert_ok(now.context, thaw_trainer_epoch(now.trainer, NULL));
    assert_ok(now.context, thaw_trainer_save(now.trainer, saved));
    close_run(&now);
    assert_ok(now.context, open_run(&now, script, &(thaw_fit_options){ .best = { .monitor = THAW_MONITOR_LOSS } }));
    assert_ok(now.context, thaw_trainer_load(now.trainer, saved));
    cr_assert_not_null(strstr(now.warning, "monitored figure: test accuracy in the checkpoint, loss now"), "%s",
                       now.warning);
    cr_assert_eq(thaw_trainer_result(now.trainer)->best.epoch, 0);
    finish(&now);
    cr_assert_geq(now.told[EPOCHS].epoch, 3);
    close_run(&now);
}

/* ---------------------------------------------------------------- ranks */

static const char *file_of[2];
static run on_rank[2];

/* Rank 1 would find the last epoch best, and end after it. */
static void train_rank(void *argument, const thaw_communicator *communicator)
{
    static const int others[EPOCHS] = { 1, 1, 1, 1, 1, 1, 1, 1, 9 };
    const int own = communicator->rank;
    (void)argument;
    const thaw_fit_options options = { .shards = 2,
                                       .communicator = communicator,
                                       .best = { .file = file_of[own], .patience = 3 } };
    run *now = &on_rank[own];
    assert_ok(now->context, open_run(now, own ? others : script, &options));
    finish(now);
}

Test(best, rank_0_decides_and_writes)
{
    char other[SUPPORT_PATH_BYTES];
    file_of[0] = file;
    file_of[1] = support_path(other, directory, "other.safetensors");
    run_ranks(2, train_rank, NULL);
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(on_rank[i].ended, 5, "rank %d ends after epoch %d", i, on_rank[i].ended);
        cr_assert_eq(on_rank[i].told[5].epoch, 2);
        cr_assert_eq(on_rank[i].told[5].value, 0.5);
    }
    cr_assert(holds(&on_rank[0], on_rank[0].kept));
    cr_assert_neq(access(other, F_OK), 0, "rank 1 has written");
    for (int i = 0; i < 2; i++)
        close_run(&on_rank[i]);
}
