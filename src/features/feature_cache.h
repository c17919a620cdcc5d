/* The feature cache keeps, for each sample, what the frozen prefix passes to the live part. A complete cache serves
   as a data set whose samples are those outputs. */
#ifndef THAW_FEATURES_FEATURE_CACHE_H
#define THAW_FEATURES_FEATURE_CACHE_H

#include <thaw/data.h>

#include "features/feature_shares.h"
#include "plan/plan.h"

typedef struct thaw_feature_cache thaw_feature_cache;

/* What a cache is for, and where it lies. */
typedef struct thaw_feature_cache_options {
    thaw_dataset *dataset;
    thaw_shard_part part; /* the samples that this process computes, in whatever order; count 0: all */
    size_t budget_bytes;  /* of all ranks together, in memory */
    size_t views;         /* of each sample, of those that the data set has; 0: 1 */
    const char *path;     /* of the file; NULL: in memory. It must outlive the cache */
    thaw_spread spread;   /* on several ranks that train, each keeps its share, and `path` is NULL */
} thaw_feature_cache_options;

/* Makes a cache for what this plan's prefix computes of a data set: in a file, with what it already holds, or an empty
   one in memory. *cache is NULL if nothing is worth caching, the data set is random and without views, or the budget is
   too small.
   Errors: THAW_OUT_OF_MEMORY, those of thaw_feature_file_open and of reading the data set. */
thaw_status thaw_feature_cache_create(thaw_plan *plan, const thaw_feature_cache_options *options,
                                      thaw_feature_cache **cache);
void thaw_feature_cache_release(thaw_feature_cache *cache);

/* Whether the cache holds what this plan's prefix would compute: same cut, same parameters. */
bool thaw_feature_cache_fits(const thaw_feature_cache *cache, const thaw_plan *plan);

/* How many views of each sample the cache is for. */
size_t thaw_feature_cache_views(const thaw_feature_cache *cache);

/* What follows is about this view of the samples; 0 at first. No batch is being read. */
void thaw_feature_cache_use_view(thaw_feature_cache *cache, size_t view);

/* Before a step that runs the prefix on these samples, its whole batch: on several ranks, says who keeps which. */
void thaw_feature_cache_announce(thaw_feature_cache *cache, const size_t *indices, size_t all);

/* Keeps what the prefix has just computed for these samples. If the cache is bfloat16, it also rounds the values
   that the live part reads. */
void thaw_feature_cache_keep(thaw_feature_cache *cache, const thaw_plan *plan, const size_t *indices,
                             const void *targets, size_t count);

/* The errno of a row that could not be kept, or 0. After an error the cache is useless. */
int thaw_feature_cache_error(const thaw_feature_cache *cache);

/* Whether every sample of its part is in the cache, in this view. */
bool thaw_feature_cache_complete(const thaw_feature_cache *cache);

/* The cache as a data set, borrowed. Reading a batch gives, for each boundary node in order, its values for all
   samples of the batch. */
thaw_dataset *thaw_feature_cache_dataset(thaw_feature_cache *cache);

size_t thaw_feature_cache_bytes(const thaw_feature_cache *cache); /* 0 for NULL */

bool thaw_feature_cache_on_disk(const thaw_feature_cache *cache);

#endif
