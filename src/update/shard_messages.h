/* What ranks exchange for a shard sum: who adds up which slice of a bucket, and the messages that carry slices. */
#ifndef THAW_UPDATE_SHARD_MESSAGES_H
#define THAW_UPDATE_SHARD_MESSAGES_H

#include "update/shard_tree.h"

/* Floats of a level. */
typedef struct thaw_shard_slice {
    size_t first, count;
} thaw_shard_slice;

size_t thaw_shard_ranks(const thaw_shard_sum *sum);
size_t thaw_shard_own_rank(const thaw_shard_sum *sum);

/* The blocks that a rank's shards come to; see thaw_partials_of. */
size_t thaw_shard_blocks_of(const thaw_shard_sum *sum, size_t rank, thaw_partial *partials);

/* What a rank adds up of a bucket. */
thaw_shard_slice thaw_shard_slice_of(const thaw_shard_sum *sum, const thaw_bucket *bucket, size_t rank);

/* Allocates what several ranks need, and lists the messages of all buckets; nothing on one rank. Errors:
   THAW_OUT_OF_MEMORY. */
thaw_status thaw_shard_sum_reserve_ranks(thaw_shard_sum *sum);

#endif
