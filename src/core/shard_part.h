/* Cutting a step's batch into shards. */
#ifndef THAW_CORE_SHARD_PART_H
#define THAW_CORE_SHARD_PART_H

#include <stddef.h>

/* The shards of a step, and which of them this process computes: [first, past). */
typedef struct thaw_shard_range {
    size_t shards, first, past;
} thaw_shard_range;

/* Samples [first, first + count) of a step's batch. */
typedef struct thaw_shard_part {
    size_t first, count;
} thaw_shard_part;

/* The samples of shard `index`. Shards differ by one sample at most, and the first are the larger ones. If there are
   fewer samples than shards, the last are empty. */
static inline thaw_shard_part thaw_shard_part_of(size_t samples, size_t shards, size_t index)
{
    const size_t each = samples / shards, more = samples % shards;
    return (thaw_shard_part){ index * each + (index < more ? index : more), each + (index < more) };
}

/* The samples of a range of shards, which lie one after the other. */
static inline thaw_shard_part thaw_shard_part_of_range(size_t samples, thaw_shard_range range)
{
    const size_t first = thaw_shard_part_of(samples, range.shards, range.first).first;
    const size_t past = thaw_shard_part_of(samples, range.shards, range.past).first;
    return (thaw_shard_part){ first, past - first };
}

#endif
