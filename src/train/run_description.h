/* What a run is, as lines: a checkpoint continues only in the same run. */
#ifndef THAW_TRAIN_RUN_DESCRIPTION_H
#define THAW_TRAIN_RUN_DESCRIPTION_H

#include "train/lines.h"
#include "train/trainer.h"

/* Describes options, network and settings of groups at the start of the run. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_run_describe(thaw_trainer *trainer);

/* Adds the data set to the description, once; reads two samples if it has no identity. Errors: those of
   thaw_dataset_read, THAW_OUT_OF_MEMORY. */
thaw_status thaw_run_describe_data(thaw_trainer *trainer);

/* Compares a checkpoint's description with this run's, and logs what may differ. Errors: THAW_INVALID_ARGUMENT (the
   message names what may not), THAW_OUT_OF_MEMORY, THAW_BAD_FORMAT. */
thaw_status thaw_run_compare(thaw_trainer *trainer, const char *path, thaw_lines *stored);

/* Appends the formula that a parameter is bound to, with a fingerprint of its constants, masks and factors. */
void thaw_run_append_binding(thaw_text *text, const thaw_parameter *parameter);

#endif
