/* The file of the best weights on a disk that is full. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "support/faults.h"
#include "train/scripted_run.h"

TestSuite(best_faults, .init = scripted_begin, .fini = scripted_end);

Test(best_faults, a_full_disk_costs_the_file_and_not_the_run)
{
    scripted_run now;
    assert_ok(now.context,
              scripted_open(&now, script_correct, &(thaw_fit_options){ .best = { .file = scripted_file } }));
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
    cr_assert(scripted_file_holds(&now, first), "the weights of epoch 1 are lost");
    cr_assert_eq(support_count_entries(scripted_directory), 1);
    free(first);
    scripted_finish(&now);
    cr_assert_eq(now.told[SCRIPTED_EPOCHS].saved, 6);
    cr_assert(scripted_file_holds(&now, now.kept));
    scripted_close(&now);
}
