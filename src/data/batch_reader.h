/* Reads the batches of an epoch into memory, in an order that depends only on seed and epoch. */
#ifndef THAW_DATA_BATCH_READER_H
#define THAW_DATA_BATCH_READER_H

#include "core/shard_part.h"
#include "data/like_lengths.h"

/* One batch with the caller, one ready, one being read. */
enum { THAW_BATCH_SLOTS = 3 };

/* The memory of a batch. */
typedef struct thaw_batch_slot {
    const size_t *indices; /* part of the epoch's order */
    size_t count;
    size_t first, all; /* the place of the first in the whole batch, and its samples */
    bool failed;
    float *samples;
    char *targets;
} thaw_batch_slot;

/* Starts as zero, except the first seven fields. */
typedef struct thaw_batch_reader {
    thaw_context *context;
    thaw_dataset *dataset;
    size_t batch; /* samples per batch, at most those of the data set */
    bool shuffle;
    bool by_length; /* without shuffling: sorted by length, if the data set tells lengths */
    uint64_t seed;
    thaw_shard_range share; /* of the shards of each batch: only their samples are read */

    size_t *order;            /* of the epoch's samples */
    thaw_like_length *window; /* for batches of like lengths; NULL: there are none */
    thaw_batch_slot slots[THAW_BATCH_SLOTS];
    char message[THAW_SOURCE_MESSAGE_BYTES + 64]; /* of the slot that failed */
} thaw_batch_reader;

/* Allocates the order and this many slots. Errors: THAW_OUT_OF_MEMORY; also then thaw_batch_reader_release must
   follow. */
thaw_status thaw_batch_reader_allocate(thaw_batch_reader *reader, size_t slots);
void thaw_batch_reader_release(thaw_batch_reader *reader);

/* The rest may run on a thread of the loader: it does not touch the context's message. */

/* Orders the samples of an epoch. */
void thaw_batch_reader_order(thaw_batch_reader *reader, thaw_batch_epoch epoch);

/* The samples of batch number `step` in the epoch's order. */
const size_t *thaw_batch_reader_indices(const thaw_batch_reader *reader, size_t step, size_t *count);

/* Reads batch number `step` of the epoch, or marks the slot as failed and says why in reader->message. */
void thaw_batch_reader_read(thaw_batch_reader *reader, thaw_batch_epoch epoch, size_t step, thaw_batch_slot *into);

#endif
