/* A copy of a run's state in memory, which can be written while training goes on. */
#ifndef THAW_TRAIN_SNAPSHOT_H
#define THAW_TRAIN_SNAPSHOT_H

#include "io/safetensors.h"
#include "train/trainer.h"

/* Names of tensors in a checkpoint. Names of parameters have no brackets. */
#define THAW_SNAPSHOT_RUN "[run]"                    /* the description of the run */
#define THAW_SNAPSHOT_STATE "[state]"                /* what it has become: see run_state.h */
#define THAW_SNAPSHOT_DETAIL "%s[%s]"                /* of a parameter: one of its optimizer's slots, or */
#define THAW_SNAPSHOT_SLICES "/frozen"               /* its frozen slices, a bit for each element */
#define THAW_SNAPSHOT_AVERAGE "/average"             /* its average: see thaw/average.h */
#define THAW_SNAPSHOT_FORMAT "thaw checkpoint 1\n\n" /* begins the description of the run */

/* All zero before the first use. Memory is kept from one snapshot to the next. */
typedef struct thaw_snapshot {
    thaw_named_tensor *tensors;
    size_t count, capacity;
    char *names, *values;
    size_t name_bytes, value_bytes;       /* in use */
    size_t name_capacity, value_capacity; /* allocated */
} thaw_snapshot;

/* Copies the state of a run. Errors: THAW_OUT_OF_MEMORY, those of thaw_run_describe_data; the snapshot is then
   empty. */
thaw_status thaw_snapshot_take(thaw_snapshot *snapshot, thaw_trainer *trainer);

/* Writes it; touches nothing of the trainer. The messages go to `context`. Errors: those of
   thaw_safetensors_write_checked. */
thaw_status thaw_snapshot_write(const thaw_snapshot *snapshot, thaw_context *context, const char *path);

void thaw_snapshot_release(thaw_snapshot *snapshot, thaw_context *context);

#endif
