/* What a run has become: position, sums, settings and counters, as lines. Values of parameters and of the optimizers'
   state are not among them. */
#ifndef THAW_TRAIN_RUN_STATE_H
#define THAW_TRAIN_RUN_STATE_H

#include "train/lines.h"
#include "train/trainer.h"

/* Lines about averaged weights: the updates of the run, and of one parameter. */
#define THAW_AVERAGE_UPDATES "averaged updates"
#define THAW_AVERAGE_OF "average"

/* Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_run_state_write(const thaw_trainer *trainer, char **text);

/* Whether thaw_run_state_restore can restore it all: every group and parameter of the model is described, with the
   same optimizer modules and bindings. Errors: THAW_INVALID_ARGUMENT, THAW_BAD_FORMAT, THAW_OUT_OF_MEMORY. */
thaw_status thaw_run_state_check(thaw_trainer *trainer, const char *path, thaw_lines *state);

/* The last epoch whose rules had been applied. Errors: THAW_BAD_FORMAT; THAW_INVALID_ARGUMENT (more epochs than the run
   has). */
thaw_status thaw_run_state_rules(const thaw_trainer *trainer, const char *path, thaw_lines *state, int *epoch);

/* Restores a state that was checked. */
void thaw_run_state_restore(thaw_trainer *trainer, thaw_lines *state);

#endif
