/* What batch normalisation shares between the shards of a step: two numbers for each channel, of so many rows. */
#ifndef THAW_LAYERS_SHARD_STATISTICS_H
#define THAW_LAYERS_SHARD_STATISTICS_H

#include <thaw/layer_capabilities.h>

/* Numbers of each channel: mean and biased variance, or the sums for two gradients. */
typedef struct thaw_shard_statistics {
    double *first, *second;
} thaw_shard_statistics;

/* How many numbers a shard has. */
size_t thaw_shard_statistics_count(size_t channels);

/* Where this shard's are, and the same before they are measured over so many rows. */
thaw_shard_statistics thaw_shard_statistics_own(const thaw_shared_sums *sums, size_t channels);
thaw_shard_statistics thaw_shard_statistics_begin(const thaw_shared_sums *sums, size_t channels, size_t rows);

/* Each channel's mean and biased variance over all shards, joined in their order. Returns the rows. Chan et al. 1979,
   "Updating formulae and a pairwise algorithm for computing sample variances". */
size_t thaw_shard_statistics_join(const thaw_shared_sums *sums, size_t channels, double *mean, double *variance);

/* Each channel's two sums over all shards, added up in their order. Returns the rows. */
size_t thaw_shard_statistics_add(const thaw_shared_sums *sums, size_t channels, double *first, double *second);

#endif
