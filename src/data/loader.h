/* A loader serves batches of a data set, in an order that depends only on seed and epoch. It reads ahead on its own
   thread unless told otherwise. It allocates nothing after creation. */
#ifndef THAW_DATA_LOADER_H
#define THAW_DATA_LOADER_H

#include <thaw/data.h>

#include "core/shard_part.h"

typedef struct thaw_loader thaw_loader;

typedef struct thaw_loader_options {
    size_t batch;           /* samples per batch; at least 1 */
    bool drop_last;         /* skip an epoch's last, smaller batch */
    bool shuffle;           /* otherwise in the order of the data set */
    bool by_length;         /* or of the samples' lengths, the shortest first, if the data set tells them */
    uint64_t seed;          /* of the shuffle */
    thaw_shard_range share; /* of the shards of each batch: only their samples are read; zeros: all */
    bool on_caller; /* no thread: each batch is read when it is asked for, by a source that splits the work itself */
} thaw_loader_options;

/* Valid until the next call on the loader. */
typedef struct thaw_batch {
    size_t count;          /* samples; 0 at the end of the epoch, when all else is NULL, and where a share is empty */
    size_t first, all;     /* the place of the first in the whole batch, and its samples; 0 at the end of the epoch */
    const size_t *indices; /* in the data set */
    const float *samples;  /* [count, sample...], aligned to 64 bytes */
    const void *targets;   /* [count, target...], aligned to 64 bytes: int32 labels or floats */
} thaw_batch;

/* The data set must outlive the loader. Its source is read from the loader's thread, or from the caller's. Errors:
   THAW_INVALID_ARGUMENT (batch is 0, or drop_last leaves nothing), THAW_OUT_OF_MEMORY (also if no thread can be
   started). */
thaw_status thaw_loader_create(thaw_context *context, thaw_dataset *dataset, const thaw_loader_options *options,
                               thaw_loader **loader);

/* Stops the reading thread, if any, and waits for it. NULL is allowed. */
void thaw_loader_destroy(thaw_loader *loader);

/* Starts epoch `epoch`, which keys the shuffle, and starts to read ahead. The rest of a previous epoch is abandoned. */
void thaw_loader_start_epoch(thaw_loader *loader, uint64_t epoch);

/* The epochs that are started from now on go through this many views of the samples: epoch e reads the samples of epoch
   e mod `views`, in its own order. 0, as at first: through all that the data set has. */
void thaw_loader_set_views(thaw_loader *loader, size_t views);

/* The same without the epoch's first `step` batches, which are not read. */
void thaw_loader_start_epoch_at(thaw_loader *loader, uint64_t epoch, size_t step);

/* The same for the batches from `step` up to `past` alone. */
void thaw_loader_start_epoch_between(thaw_loader *loader, uint64_t epoch, size_t step, size_t past);

/* The next batch; count is 0 at the end of the epoch and before the first. Errors: THAW_IO_ERROR if the source
   failed: at the batch where it did, naming the sample, and again until another epoch is started. */
thaw_status thaw_loader_next(thaw_loader *loader, thaw_batch *batch);

/* Batches per epoch. */
size_t thaw_loader_steps(const thaw_loader *loader);

#endif
