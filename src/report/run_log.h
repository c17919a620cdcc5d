/* The log of a training run, in a folder, flushed as it goes:

     steps.csv    a row every N steps: losses, rates, norms of gradients and updates by block, speed, memory
     epochs.csv   a row an epoch: losses, accuracies, test figures
     events.out.tfevents.0000000000.thaw   the same for TensorBoard

   A column of a table and its series in TensorBoard have the same name. A log that cannot be written costs the log, not
   the run. */
#ifndef THAW_REPORT_RUN_LOG_H
#define THAW_REPORT_RUN_LOG_H

#include <thaw/trainer.h>

typedef struct thaw_run_log thaw_run_log;

/* Opens the log of a trainer's run in a folder, which is made if it is missing. The first row is that of step `every`.
   If `resume` is set, a log that is there is continued: rows beyond the trainer's position are cut off, and so is what
   a killed process has left half written. The model must outlive the log. *log is NULL after an error.
   Errors: THAW_IO_ERROR; THAW_INVALID_ARGUMENT (without `resume`: the folder holds a log; with it: the log is of
   another model), those of thaw_model_block, THAW_OUT_OF_MEMORY. */
thaw_status thaw_run_log_open(thaw_model *model, const thaw_trainer *trainer, const char *folder, size_t every,
                              bool resume, thaw_run_log **log);

/* Takes a step of the trainer, and logs it if it is its turn. *epoch_ended (may be NULL) tells whether it was an
   epoch's last; the epoch is then logged, too. Errors: those of thaw_trainer_step. */
thaw_status thaw_run_log_step(thaw_run_log *log, thaw_trainer *trainer, bool *epoch_ended);

/* NULL is allowed. */
void thaw_run_log_close(thaw_run_log *log);

#endif
