/* Where a run is, and what it has counted and added up, as lines. */
#ifndef THAW_TRAIN_RUN_POSITION_H
#define THAW_TRAIN_RUN_POSITION_H

#include "train/lines.h"
#include "train/trainer.h"

void thaw_run_position_write(const thaw_trainer *trainer, thaw_text *text);

/* Reads all that was written into a trainer. Returns false if something is missing or wrong; the trainer then holds a
   part of it. */
bool thaw_run_position_read(thaw_lines *state, thaw_trainer *trainer);

#endif
