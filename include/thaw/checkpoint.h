/* Checkpoints: a run that was stopped continues as if it never had been. The weights at its end have the same bits.

   A checkpoint is one safetensors file: parameters (also frozen ones, adapters and statistics), the optimizers' state
   and averaged weights by name, each parameter's steps, what trains, the groups' settings, the position in the run and
   in the order of the data, and a description of the run. Its last four bytes are a CRC-32C of all others. It is
   written beside its path, synced and renamed over it: the path always holds the complete old or the complete new file.
   thaw_weights_load reads the parameters alone with allow_unexpected.

   Outputs of a frozen prefix that were cached in memory are computed again. */
#ifndef THAW_CHECKPOINT_H
#define THAW_CHECKPOINT_H

#include <thaw/context.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A run: model, data, options, position, and the feature cache. See thaw/trainer.h. */
typedef struct thaw_trainer thaw_trainer;

/* Checkpoints that a run writes by itself, and whether it continues from one. Zero everywhere means none. The writing
   is done by a thread of its own from a copy in memory, which training waits for only at the end of an epoch. If a file
   cannot be written, the run goes on with a warning in the log. A run also writes one after its last epoch. Of several
   ranks (thaw/distributed.h), the first one writes, and all read the folder to continue; their number may differ. */
typedef struct thaw_checkpoint_options {
    const char *folder;      /* made if it is missing; NULL: no checkpoints */
    uint64_t every_steps;    /* one after each so many steps of the whole run; 0: not by steps */
    double every_seconds;    /* one after the first step after so many seconds; 0: not by time */
    int every_epochs;        /* one after each so many epochs. If all three are 0: after each epoch */
    int keep;                /* the newest files that stay; 0: 3 */
    bool resume;             /* continue from the newest whole checkpoint of the folder; start anew if it has none. The
                                log says which, and names damaged files. Without it, a folder with checkpoints is an
                                error */
    const char *description; /* of what Thaw cannot see, such as the options of layers: a checkpoint of a run with
                                another description is refused. NULL: none */
} thaw_checkpoint_options;

/* Writes a checkpoint of the run at its position, and waits for it. Allowed at any position, between calls and in
   callbacks. Changes nothing.
   Errors: THAW_IO_ERROR, THAW_OUT_OF_MEMORY (an existing file then stays untouched), those of reading the data set. */
THAW_API thaw_status thaw_trainer_save(thaw_trainer *trainer, const char *path);

/* Continues from a checkpoint: the model gets everything that was saved, and the next step is the one after. The
   trainer must be made as the one that was saved: a model that was built and set up in the same way, before training or
   at any later point, the same data and options. Rules of the strategy that were applied are applied again if they have
   added adapters. Adapters and bindings that a callback has made must be made again before.

   What the log tells, and goes on: more epochs (schedules and rules by share count them), another monitored figure (the
   best epoch is sought among those to come), another version of Thaw, other threads or CPU instructions (bits may
   differ). Not compared: what callbacks do, the test data, the patience, the feature cache's place, where data sets and
   the best weights lie.

   A file is checked as a whole before anything changes.
   Errors: THAW_IO_ERROR, THAW_BAD_FORMAT (no checkpoint, a damaged one, or one of a later format),
   THAW_INVALID_ARGUMENT (the checkpoint is of another run: the message names what differs, with both values),
   THAW_OUT_OF_MEMORY, those of reading the data set; those of thaw_strategy_apply, which may leave rules applied. */
THAW_API thaw_status thaw_trainer_load(thaw_trainer *trainer, const char *path);

/* Writes a checkpoint into the folder of the options now, and waits for it: for a host that is told to stop. Does
   nothing if the position has one. Errors: those of thaw_trainer_save; THAW_INVALID_ARGUMENT (there is no folder). */
THAW_API thaw_status thaw_trainer_checkpoint(thaw_trainer *trainer);

/* The path of the newest checkpoint in the folder of the options that this run has written or continued from; NULL if
   there is none yet. Waits for one that is being written. Valid until the next call on the trainer. */
THAW_API const char *thaw_trainer_checkpoint_path(thaw_trainer *trainer);

#ifdef __cplusplus
}
#endif

#endif
