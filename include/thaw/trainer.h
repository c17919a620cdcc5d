/* A training run that the host drives itself: step by step, epoch by epoch, or to its end. thaw_fit is a loop over it:

     thaw_trainer *trainer;
     status = thaw_trainer_create(model, dataset, &options, &trainer);
     while (status == THAW_OK && !thaw_trainer_done(trainer))
         status = thaw_trainer_epoch(trainer, NULL);
     thaw_trainer_destroy(trainer);

   A run gives the same bits whether it is driven by thaw_fit, by epochs, by steps, or by any mixture. */
#ifndef THAW_TRAINER_H
#define THAW_TRAINER_H

#include <thaw/train.h>

#ifdef __cplusplus
extern "C" {
#endif

/* thaw_trainer, defined in thaw/checkpoint.h, is a run: model, data, options, position, and the feature cache. */

/* The position of a run. All zero before the first step. */
typedef struct thaw_trainer_position {
    int epoch;        /* of the last step, from 1 */
    size_t step;      /* steps taken in this epoch */
    size_t all_steps; /* steps taken in all epochs */
    size_t samples;   /* samples trained on in all epochs; each counts once per epoch */
} thaw_trainer_position;

/* Starts a run, and checks what can be checked before its first step. `options` may be NULL. They are copied, but what
   they point to must outlive the trainer, as must the model and the data set. The caller owns *trainer, which is NULL
   after an error. A trainer and its model belong to one thread at a time. Between calls the host may change the model
   as callbacks of thaw_fit may.
   Errors: THAW_INVALID_ARGUMENT (an option; the model has no loss; a label outside the classes), THAW_SHAPE_MISMATCH
   (data and model do not match), those of thaw_strategy_check, THAW_OUT_OF_MEMORY; with a folder for checkpoints,
   THAW_IO_ERROR (it cannot be made or read) and those of thaw_trainer_load. */
THAW_API thaw_status thaw_trainer_create(thaw_model *model, thaw_dataset *dataset, const thaw_fit_options *options,
                                         thaw_trainer **trainer);

/* Ends the run at its position; the model keeps what was trained. NULL is allowed. Must not be called from a
   callback of the trainer. */
THAW_API void thaw_trainer_destroy(thaw_trainer *trainer);

/* Trains on one batch, and calls on_step. Before an epoch's first step it applies the strategy's rules and compiles
   plans. After the epoch's last step it evaluates the model on the test data and calls on_epoch. `result` (may be NULL)
   gets the step's results.
   An error does not change the position: the same batch is next. If a rule of the strategy failed, the next call starts
   with the epoch's first rule; if all were applied, they are not applied again.
   After THAW_STOPPED, which a callback asked for, the step has been taken, and the next call continues from there. If
   that was an epoch's last step, the next call ends the epoch and trains on nothing: the loss in `result` is then NAN.
   Errors: those of thaw_fit; THAW_INVALID_ARGUMENT if all epochs are done. */
THAW_API thaw_status thaw_trainer_step(thaw_trainer *trainer, thaw_step_result *result);

/* Takes steps to the end of the current epoch, or of the next one if none has begun. `epoch_result` (may be NULL) gets
   thaw_trainer_result's figures, even after an error. Errors: those of thaw_trainer_step. */
THAW_API thaw_status thaw_trainer_epoch(thaw_trainer *trainer, thaw_epoch_result *epoch_result);

/* Evaluates the model on the test data of the options, with their batch size, at any position, and with the averaged
   weights if the run has them (thaw/average.h). Changes nothing. With a communicator, all ranks call it.
   Errors: THAW_INVALID_ARGUMENT (there is no test data), those of thaw_evaluate, or of thaw_ranks_agree and
   thaw_ranks_evaluate. */
THAW_API thaw_status thaw_trainer_evaluate(thaw_trainer *trainer, thaw_evaluation *result);

/* Whether all epochs have been trained and evaluated, or the patience for a better one (thaw/best.h) is at its end. */
THAW_API bool thaw_trainer_done(const thaw_trainer *trainer);

/* The position of the run. */
THAW_API thaw_trainer_position thaw_trainer_position_of(const thaw_trainer *trainer);

/* The steps of each epoch. */
THAW_API size_t thaw_trainer_epoch_steps(const thaw_trainer *trainer);

/* The options, with the defaults filled in. Valid until the trainer is destroyed. */
THAW_API const thaw_fit_options *thaw_trainer_options(const thaw_trainer *trainer);

/* The figures of the current epoch so far, or between epochs those of the last one. Test figures are NAN until the
   epoch is evaluated. All zero before the first epoch. Valid until the trainer is destroyed. */
THAW_API const thaw_epoch_result *thaw_trainer_result(const thaw_trainer *trainer);

#ifdef __cplusplus
}
#endif

#endif
