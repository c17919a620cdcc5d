/* The best epoch, its weights in a file and the early end of runs that continue. */
#include <string.h>
#include <unistd.h>

#include "train/scripted_run.h"

TestSuite(best_continuing, .init = scripted_begin, .fini = scripted_end);

/* A run that is cut after each step in turn ends where it would have, with the same file. */
Test(best_continuing, a_run_that_continues_decides_alike)
{
    const thaw_fit_options options = { .best = { .file = scripted_file, .patience = 3 } };
    scripted_run whole, second;
    assert_ok(whole.context, scripted_open(&whole, script_correct, &options));
    scripted_finish(&whole);
    cr_assert_eq(whole.ended, 5);
    for (int cut = 1; cut < 5 * SCRIPTED_STEPS; cut++) {
        unlink(scripted_file);
        scripted_continue(&second, cut, &options);
        const thaw_best restored = thaw_trainer_result(second.trainer)->best;
        const int before = cut / SCRIPTED_STEPS;
        cr_assert_eq(restored.epoch, before ? script_best[before - 1] : 0, "cut after step %d", cut);
        cr_assert_eq(restored.saved, restored.epoch);
        scripted_finish(&second);
        cr_assert_eq(second.ended, whole.ended, "cut after step %d: ends after epoch %d", cut, second.ended);
        cr_assert_eq(memcmp(&second.told[5], &whole.told[5], sizeof whole.told[5]), 0, "cut after step %d", cut);
        cr_assert(scripted_file_holds(&second, whole.kept), "cut after step %d: other best weights", cut);
        scripted_close(&second);
    }
    scripted_close(&whole);
}

Test(best_continuing, more_patience_continues_a_run_that_has_ended)
{
    scripted_run now;
    assert_ok(now.context, scripted_open(&now, script_correct, &(thaw_fit_options){ .best = { .patience = 1 } }));
    scripted_finish(&now);
    assert_ok(now.context, thaw_trainer_save(now.trainer, scripted_saved));
    scripted_close(&now);
    assert_ok(now.context, scripted_open(&now, script_correct, &(thaw_fit_options){ .best = { .patience = 1 } }));
    assert_ok(now.context, thaw_trainer_load(now.trainer, scripted_saved));
    cr_assert(thaw_trainer_done(now.trainer));
    scripted_close(&now);
    assert_ok(now.context, scripted_open(&now, script_correct, &(thaw_fit_options){ .best = { .patience = 4 } }));
    assert_ok(now.context, thaw_trainer_load(now.trainer, scripted_saved));
    scripted_finish(&now);
    cr_assert_eq(now.ended, SCRIPTED_EPOCHS);
    cr_assert_eq(now.told[SCRIPTED_EPOCHS].epoch, 6);
    scripted_close(&now);
}

Test(best_continuing, another_figure_begins_anew)
{
    scripted_run now;
    assert_ok(now.context, scripted_open(&now, script_correct, &(thaw_fit_options){ 0 }));
    for (int i = 0; i < 2; i++)
        assert_ok(now.context, thaw_trainer_epoch(now.trainer, NULL));
    assert_ok(now.context, thaw_trainer_save(now.trainer, scripted_saved));
    scripted_close(&now);
    assert_ok(now.context,
              scripted_open(&now, script_correct, &(thaw_fit_options){ .best = { .monitor = THAW_MONITOR_LOSS } }));
    assert_ok(now.context, thaw_trainer_load(now.trainer, scripted_saved));
    cr_assert_not_null(strstr(now.warning, "monitored figure: test accuracy in the checkpoint, loss now"), "%s",
                       now.warning);
    cr_assert_eq(thaw_trainer_result(now.trainer)->best.epoch, 0);
    scripted_finish(&now);
    cr_assert_geq(now.told[SCRIPTED_EPOCHS].epoch, 3);
    scripted_close(&now);
}
