/* A run that checkpoints are taken of, and that a test may set otherwise. The fixture has a folder with the path of a
   checkpoint. */
#ifndef THAW_TESTS_TRAIN_CHECKPOINT_RUN_H
#define THAW_TESTS_TRAIN_CHECKPOINT_RUN_H

#include "support/files.h"
#include "support/network.h"

enum { CHECKPOINT_SAMPLES = 45, CHECKPOINT_BATCH = 16, CHECKPOINT_STEPS = 3, CHECKPOINT_SEED = 5 };

extern char checkpoint_folder[SUPPORT_PATH_BYTES], checkpoint_path[SUPPORT_PATH_BYTES];

void checkpoint_begin(void);
void checkpoint_end(void);

typedef struct checkpoint_run {
    thaw_context *context;
    thaw_model *model;
    thaw_dataset *data;
    thaw_fit_options options;
    thaw_optimizer *own; /* or NULL */
    thaw_trainer *trainer;
} checkpoint_run;

typedef void checkpoint_setter(checkpoint_run *made);

/* Four epochs of CHECKPOINT_STEPS steps, or what `set` makes of them. */
void checkpoint_open(checkpoint_run *made, checkpoint_setter *set);
void checkpoint_close(checkpoint_run *made);

/* Takes so many steps, or as many as are left. */
void checkpoint_step(checkpoint_run *made, size_t steps);

/* Rules that add an adapter, reset, change a rate and freeze. */
extern const thaw_strategy checkpoint_adapters;

#endif
