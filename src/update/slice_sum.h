/* The slice of a bucket that one of several ranks adds up. */
#ifndef THAW_UPDATE_SLICE_SUM_H
#define THAW_UPDATE_SLICE_SUM_H

#include "update/shard_tree.h"

/* Adds up this rank's slice of all blocks, in the order of the shards, multiplies it by sum->factors, and stores it
   where the update list has its gradients. Returns whether all of it is finite. */
bool thaw_shard_sum_add_slice(const thaw_shard_sum *sum, const thaw_bucket *bucket);

#endif
