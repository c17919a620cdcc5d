/* Writes snapshots in a thread of its own, one at a time. */
#ifndef THAW_TRAIN_CHECKPOINT_WRITER_H
#define THAW_TRAIN_CHECKPOINT_WRITER_H

#include "train/snapshot.h"

typedef struct thaw_checkpoint_writer thaw_checkpoint_writer;

/* `folder` must outlive the writer; at most `keep` checkpoints stay in it. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_checkpoint_writer_create(thaw_context *context, const char *folder, size_t keep,
                                          thaw_checkpoint_writer **writer);

/* Waits for what is being written. NULL is allowed. */
void thaw_checkpoint_writer_destroy(thaw_checkpoint_writer *writer);

/* Whether a file is still being written. */
bool thaw_checkpoint_writer_busy(const thaw_checkpoint_writer *writer);

/* Waits for the last file, and then tells how it went, once: later calls give THAW_OK until another file was written.
   The context's message says what went wrong. Errors: those of thaw_snapshot_write. */
thaw_status thaw_checkpoint_writer_wait(thaw_checkpoint_writer *writer, thaw_context *context);

/* Takes a snapshot and starts to write it, after a wait. Errors: those of thaw_snapshot_take. */
thaw_status thaw_checkpoint_writer_start(thaw_checkpoint_writer *writer, thaw_trainer *trainer);

/* The path of the last file that was written, or NULL. Not while it is busy. */
const char *thaw_checkpoint_writer_path(const thaw_checkpoint_writer *writer);

#endif
