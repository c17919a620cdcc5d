/* Which epoch of a run is the best so far, and whether to wait for a better one. */
#ifndef THAW_TRAIN_BEST_H
#define THAW_TRAIN_BEST_H

#include "train/trainer.h"

/* Checks the options and fills in the monitored figure. Errors: THAW_INVALID_ARGUMENT. */
thaw_status thaw_best_begin(thaw_trainer *trainer);

/* After a checkpoint was loaded: forgets a best epoch by another figure, and a file that is not there. */
void thaw_best_restore(thaw_trainer *trainer);

/* Before an epoch is tested or not: whether it is the last, since its loss is no better. */
bool thaw_best_ends_untested(const thaw_trainer *trainer);

/* Compares an epoch's figures, which all ranks share, with the best so far, notes that in the epoch's result, and
   writes the file if they are better. */
void thaw_best_after_epoch(thaw_trainer *trainer);

/* Whether the run has waited long enough. */
bool thaw_best_gives_up(const thaw_trainer *trainer);

#endif
