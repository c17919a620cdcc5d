/* Tests after every N epochs, and what is the best then. Figures are those of a script: see scripted_run.h. */
#include <math.h>
#include <string.h>

#include "support/network.h"
#include "train/scripted_run.h"

TestSuite(test_every, .init = scripted_begin, .fini = scripted_end);

Test(test_every, tests_every_so_many_epochs_and_the_last)
{
    static const int every[] = { 1, 2, 4, 9, 100 };
    for (size_t k = 0; k < THAW_COUNT(every); k++) {
        scripted_run now;
        assert_ok(now.context, scripted_open(&now, script_correct, &(thaw_fit_options){ .test_every = every[k] }));
        scripted_finish(&now);
        for (int epoch = 1; epoch <= SCRIPTED_EPOCHS; epoch++) {
            const bool wanted = epoch % every[k] == 0 || epoch == SCRIPTED_EPOCHS;
            cr_assert_eq(!isnan(now.test_losses[epoch]), wanted, "every %d: epoch %d", every[k], epoch);
        }
        cr_assert(thaw_trainer_result(now.trainer)->tested);
        scripted_close(&now);
    }
}

/* Of epochs 4, 8 and 9, with 4, 7 and 2 right, epoch 8 is the best. */
Test(test_every, epochs_without_a_test_are_neither_best_nor_waited_for)
{
    static const int best[] = { 0, 0, 0, 0, 4, 4, 4, 4, 8, 8 }, waited[] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 };
    scripted_run now;
    assert_ok(now.context, scripted_open(&now, script_correct,
                                         &(thaw_fit_options){ .test_every = 4, .best = { .file = scripted_file } }));
    scripted_finish(&now);
    for (int epoch = 1; epoch <= SCRIPTED_EPOCHS; epoch++) {
        cr_assert_eq(now.told[epoch].epoch, best[epoch], "after epoch %d: %d", epoch, now.told[epoch].epoch);
        cr_assert_eq(now.told[epoch].waited, waited[epoch]);
    }
    cr_assert_eq(now.told[8].value, 0.7);
    cr_assert(scripted_file_holds(&now, now.kept), "the file does not have the weights of epoch 8");
    scripted_close(&now);
}

/* Of epochs 2, 4, 6 and 8, with 5, 4, 7 and 7 right. */
Test(test_every, patience_counts_tests)
{
    static const int ends[] = { 0, 4, SCRIPTED_EPOCHS };
    for (int patience = 1; patience <= 2; patience++) {
        scripted_run now;
        assert_ok(now.context, scripted_open(&now, script_correct,
                                             &(thaw_fit_options){ .test_every = 2, .best = { .patience = patience } }));
        scripted_finish(&now);
        cr_assert_eq(now.ended, ends[patience], "patience %d: epoch %d", patience, now.ended);
        scripted_close(&now);
    }
}

Test(test_every, the_epoch_in_which_patience_ends_is_tested)
{
    scripted_run now;
    const thaw_best_options by_loss = { .monitor = THAW_MONITOR_LOSS, .patience = 1 };
    assert_ok(now.context,
              scripted_open(&now, script_correct, &(thaw_fit_options){ .test_every = 100, .best = by_loss }));
    support_optimize(now.model, "sgd:lr=30");
    scripted_finish(&now);
    cr_assert(now.ended > 1 && now.ended < SCRIPTED_EPOCHS, "the run ended after epoch %d", now.ended);
    for (int epoch = 1; epoch < now.ended; epoch++)
        cr_assert(isnan(now.test_losses[epoch]));
    cr_assert_not(isnan(now.test_losses[now.ended]));
    scripted_close(&now);
}

/* Cut in each step, the run goes on with the tests and the best epochs of one that was not cut. */
Test(test_every, a_run_that_continues_agrees)
{
    const thaw_fit_options options = { .test_every = 2, .best = { .monitor = THAW_MONITOR_TEST_LOSS } };
    scripted_run whole, second;
    assert_ok(whole.context, scripted_open(&whole, script_correct, &options));
    scripted_finish(&whole);
    for (int cut = 1; cut < SCRIPTED_EPOCHS * SCRIPTED_STEPS; cut++) {
        scripted_continue(&second, cut, &options);
        scripted_finish(&second);
        for (int epoch = cut / SCRIPTED_STEPS + 1; epoch <= SCRIPTED_EPOCHS; epoch++) {
            const double found = second.test_losses[epoch], wanted = whole.test_losses[epoch];
            cr_assert(found == wanted || (isnan(found) && isnan(wanted)), "cut %d, epoch %d: %g, not %g", cut, epoch,
                      found, wanted);
            cr_assert_eq(second.told[epoch].epoch, whole.told[epoch].epoch);
            cr_assert_eq(second.told[epoch].waited, whole.told[epoch].waited);
        }
        scripted_close(&second);
    }
    scripted_close(&whole);
}

Test(test_every, another_number_is_told_and_a_negative_one_refused)
{
    scripted_run now, other;
    assert_ok(now.context, scripted_open(&now, script_correct, &(thaw_fit_options){ .test_every = 2 }));
    assert_ok(now.context, thaw_trainer_step(now.trainer, NULL));
    assert_ok(now.context, thaw_trainer_save(now.trainer, scripted_saved));
    assert_ok(other.context, scripted_open(&other, script_correct, &(thaw_fit_options){ .test_every = 3 }));
    assert_ok(other.context, thaw_trainer_load(other.trainer, scripted_saved));
    cr_assert_not_null(strstr(other.warning, "epochs from test to test: 2 in the checkpoint, 3 now"), "%s",
                       other.warning);
    scripted_close(&other);
    scripted_close(&now);
    const thaw_status status = scripted_open(&now, script_correct, &(thaw_fit_options){ .test_every = -1 });
    assert_fails(now.context, status, THAW_INVALID_ARGUMENT, "test_every is -1");
    scripted_close(&now);
}

/* Seconds of training and testing are part of those of the epoch, and these of those of the run. */
Test(test_every, seconds_add_up)
{
    scripted_run now;
    double sum = 0;
    assert_ok(now.context, scripted_open(&now, script_correct, &(thaw_fit_options){ .test_every = 2 }));
    while (!thaw_trainer_done(now.trainer)) {
        thaw_epoch_result result;
        assert_ok(now.context, thaw_trainer_epoch(now.trainer, &result));
        cr_assert_eq(result.tested, result.epoch % 2 == 0 || result.epoch == SCRIPTED_EPOCHS);
        cr_assert_eq(result.test_seconds > 0, result.tested);
        cr_assert_gt(result.wall_seconds, result.seconds + result.test_seconds);
        sum += result.wall_seconds;
        cr_assert_float_eq(result.run_seconds, sum, 1e-9);
    }
    scripted_close(&now);
}
