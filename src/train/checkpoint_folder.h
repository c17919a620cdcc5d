/* The folder in which a run keeps its checkpoints, named by steps: "checkpoint-000000001500.safetensors". */
#ifndef THAW_TRAIN_CHECKPOINT_FOLDER_H
#define THAW_TRAIN_CHECKPOINT_FOLDER_H

#include <thaw/runtime.h>

typedef struct thaw_checkpoint_list {
    uint64_t *steps; /* ascending */
    size_t count, capacity;
} thaw_checkpoint_list;

/* Makes the folder if it is missing. Errors: THAW_IO_ERROR. */
thaw_status thaw_checkpoint_folder_make(thaw_context *context, const char *folder);

/* Lists the checkpoints; the caller releases `steps`. Errors: THAW_IO_ERROR, THAW_OUT_OF_MEMORY. */
thaw_status thaw_checkpoint_folder_list(thaw_context *context, const char *folder, thaw_checkpoint_list *list);

/* The path of a checkpoint, which the caller releases. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_checkpoint_folder_path(thaw_context *context, const char *folder, uint64_t steps, char **path);

/* Removes all but the newest `keep` checkpoints up to `steps`; those of more steps stay. What cannot be removed stays
   until the next time. */
void thaw_checkpoint_folder_thin(thaw_context *context, const char *folder, uint64_t steps, size_t keep);

#endif
