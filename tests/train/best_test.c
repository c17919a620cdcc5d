/* The best epoch of a run, its weights in a file, and the early end. Test data whose labels follow a script give each
   epoch its accuracy; what is best then is written down by hand. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/network.h"
#include "support/ranks.h"
#include "train/scripted_run.h"

TestSuite(best, .init = scripted_begin, .fini = scripted_end);

/* Epochs since the best one, after each of the script. */
static const int waits[SCRIPTED_EPOCHS] = { 0, 0, 1, 2, 3, 0, 1, 2, 3 };

Test(best, only_a_strictly_better_epoch_counts)
{
    scripted_run now;
    size_t count;
    assert_ok(now.context,
              scripted_open(&now, script_correct, &(thaw_fit_options){ .best = { .file = scripted_file } }));
    scripted_finish(&now);
    cr_assert_eq(now.ended, SCRIPTED_EPOCHS, "without patience the run does not end early");
    for (int epoch = 1; epoch <= SCRIPTED_EPOCHS; epoch++) {
        const thaw_best *told = &now.told[epoch];
        cr_assert_eq(told->monitor, THAW_MONITOR_TEST_ACCURACY);
        cr_assert_eq(told->epoch, script_best[epoch - 1], "after epoch %d: %d", epoch, told->epoch);
        cr_assert_eq(told->value, script_correct[told->epoch - 1] / (double)SCRIPTED_TESTED);
        cr_assert_eq(told->waited, waits[epoch - 1], "after epoch %d: %d", epoch, told->waited);
        cr_assert_eq(told->saved, told->epoch);
    }
    float *last = support_weights(now.model, &count);
    cr_assert(scripted_file_holds(&now, now.kept), "the file does not have the weights of epoch 6");
    cr_assert_not(scripted_file_holds(&now, last), "the file has the last weights");
    free(last);
    scripted_close(&now);
}

Test(best, patience_ends_the_run)
{
    static const int ends[] = { SCRIPTED_EPOCHS, 3, 4, 5,
                                SCRIPTED_EPOCHS }; /* by patience; 4 is longer than any wait */
    for (int patience = 1; patience < (int)THAW_COUNT(ends); patience++) {
        scripted_run now;
        assert_ok(now.context,
                  scripted_open(&now, script_correct,
                                &(thaw_fit_options){ .best = { .file = scripted_file, .patience = patience } }));
        scripted_finish(&now);
        cr_assert_eq(now.ended, ends[patience], "patience %d: epoch %d", patience, now.ended);
        cr_assert(scripted_file_holds(&now, now.kept));
        if (now.ended < SCRIPTED_EPOCHS)
            assert_fails(now.context, thaw_trainer_step(now.trainer, NULL), THAW_INVALID_ARGUMENT,
                         "no epoch since 2 was better");
        scripted_close(&now);
    }
}

/* The loss of a sample that is NaN is NaN, and nothing is counted as correct. */
Test(best, not_a_number_is_never_better)
{
    static const int broken[SCRIPTED_EPOCHS] = {
        SCRIPTED_BROKEN, SCRIPTED_BROKEN, 4, SCRIPTED_BROKEN, 8, SCRIPTED_BROKEN, SCRIPTED_BROKEN,
        SCRIPTED_BROKEN, SCRIPTED_BROKEN
    };
    static const int epochs[SCRIPTED_EPOCHS] = { 0, 0, 3, 3, 5, 5, 5, 5, 5 },
                     waited[SCRIPTED_EPOCHS] = { 1, 2, 0, 1, 0, 1, 2, 3, 4 };
    scripted_run now;
    const thaw_best_options by_loss = { .monitor = THAW_MONITOR_TEST_LOSS, .patience = 4 };
    assert_ok(now.context, scripted_open(&now, broken, &(thaw_fit_options){ .best = by_loss }));
    scripted_finish(&now);
    cr_assert_eq(now.ended, SCRIPTED_EPOCHS);
    for (int epoch = 1; epoch <= SCRIPTED_EPOCHS; epoch++) {
        cr_assert_eq(isnan(now.test_losses[epoch]), broken[epoch - 1] == SCRIPTED_BROKEN);
        cr_assert_eq(now.told[epoch].epoch, epochs[epoch - 1], "after epoch %d: %d", epoch, now.told[epoch].epoch);
        cr_assert_eq(now.told[epoch].waited, waited[epoch - 1]);
        cr_assert_eq(isnan(now.told[epoch].value), epoch < 3);
        cr_assert_eq(now.told[epoch].saved, 0);
    }
    scripted_close(&now);
}

/* The least of all losses up to each epoch, by a loop of the test's own. */
static void check_least(const scripted_run *now, const double *losses, thaw_monitor monitor)
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
    scripted_run now;
    assert_ok(now.context, scripted_open(&now, script_correct,
                                         &(thaw_fit_options){ .best = { .monitor = THAW_MONITOR_TEST_LOSS } }));
    scripted_finish(&now);
    check_least(&now, now.test_losses, THAW_MONITOR_TEST_LOSS);
    cr_assert_eq(now.told[SCRIPTED_EPOCHS].epoch > 1 && now.told[SCRIPTED_EPOCHS].epoch < SCRIPTED_EPOCHS, true,
                 "the script decides nothing");
    scripted_close(&now);
    assert_ok(now.context,
              scripted_open(&now, script_correct, &(thaw_fit_options){ .best = { .monitor = THAW_MONITOR_LOSS } }));
    scripted_finish(&now);
    check_least(&now, now.losses, THAW_MONITOR_LOSS);
    scripted_close(&now);
    assert_ok(now.context, scripted_open(&now, NULL, &(thaw_fit_options){ 0 }));
    scripted_finish(&now);
    check_least(&now, now.losses, THAW_MONITOR_LOSS);
    scripted_close(&now);
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
        scripted_run now;
        const thaw_status status = scripted_open(&now, wrong[i].tests ? script_correct : NULL,
                                                 &(thaw_fit_options){ .best = wrong[i].options });
        assert_fails(now.context, status, THAW_INVALID_ARGUMENT, wrong[i].message);
        scripted_close(&now);
    }
}

/* ---------------------------------------------------------------- ranks */

static const char *file_of[2];
static scripted_run on_rank[2];

static void train_rank(void *argument, const thaw_communicator *communicator)
{
    const int own = communicator->rank;
    (void)argument;
    const thaw_fit_options options = { .shards = 2,
                                       .communicator = communicator,
                                       .best = { .file = file_of[own], .patience = 3 } };
    scripted_run *now = &on_rank[own];
    assert_ok(now->context, scripted_open(now, script_correct, &options));
    scripted_finish(now);
}

Test(best, ranks_decide_alike_and_rank_0_writes)
{
    char other[SUPPORT_PATH_BYTES];
    file_of[0] = scripted_file;
    file_of[1] = support_path(other, scripted_directory, "other.safetensors");
    run_ranks(2, train_rank, NULL);
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(on_rank[i].ended, 5, "rank %d ends after epoch %d", i, on_rank[i].ended);
        cr_assert_eq(on_rank[i].told[5].epoch, 2);
        cr_assert_eq(on_rank[i].told[5].value, 0.5);
    }
    cr_assert(scripted_file_holds(&on_rank[0], on_rank[0].kept));
    cr_assert_neq(access(other, F_OK), 0, "rank 1 has written");
    for (int i = 0; i < 2; i++)
        scripted_close(&on_rank[i]);
}
