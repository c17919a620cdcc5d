/* When a run writes its checkpoints, and which one it continues from. */
#ifndef THAW_TRAIN_CHECKPOINT_H
#define THAW_TRAIN_CHECKPOINT_H

#include "train/trainer.h"

/* Opens the folder of the options, if there is one, and continues from its newest whole checkpoint if the options say
   so. Errors: those of thaw_trainer_create. */
thaw_status thaw_checkpoints_open(thaw_trainer *trainer);

/* Waits for what is being written; its failure goes to the log. */
void thaw_checkpoints_close(thaw_trainer *trainer);

/* Called after each step and after each epoch: writes a checkpoint if one is due. In the middle of an epoch, it comes
   after a later step if the one before is still being written. */
void thaw_checkpoints_after_step(thaw_trainer *trainer);
void thaw_checkpoints_after_epoch(thaw_trainer *trainer);

#endif
