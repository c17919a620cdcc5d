/* The feature cache of test data: what the frozen prefix computes of them, for the tests of later epochs.

   Whether tests are cut at the feature cache depends on the options and on what is frozen alone, and whether anything is
   kept does not change a figure: a run that continues, with an empty cache, has the figures of one that was not
   stopped. Values are kept unrounded. */
#ifndef THAW_TRAIN_TEST_CACHE_H
#define THAW_TRAIN_TEST_CACHE_H

#include <thaw/train.h>

#include "features/feature_cache.h"

typedef struct thaw_test_cache {
    const thaw_fit_options *options; /* of the run */
    int epoch;                       /* the last that has begun */
    bool cuts;                       /* tests are cut at a place where a cache would fit */
    thaw_cache_budget budget;        /* of the place */
    size_t budget_bytes;             /* in memory: what the cache of the training data leaves, of all ranks together */
    char *path;                      /* of the file; NULL: in memory */
    bool broken;                     /* the file cannot be used: nothing is kept */
    bool used;                       /* the last test started at the cache */
    thaw_feature_cache *features;
} thaw_test_cache;

/* At the start of an epoch, of which this is a training plan: how its tests are cut. Features that they cannot read are
   dropped. Errors: those of thaw_plan_find_test. */
thaw_status thaw_test_cache_begin_epoch(thaw_test_cache *cache, const thaw_plan *plan, const thaw_fit_options *options,
                                        const thaw_dataset *training, int epoch);

/* The plan of a test in batches of so many samples, of which this data set may have fewer. Errors: as above. */
thaw_status thaw_test_cache_plan(const thaw_test_cache *cache, thaw_model *model, const thaw_dataset *dataset,
                                 size_t batch, thaw_plan **plan);

/* For a test with this plan: drops features of another prefix, and makes a cache for this part of the test data if
   another test, or run, can read it. A file that cannot be used is told to the log. Errors: those of
   thaw_feature_cache_create, but for files. */
thaw_status thaw_test_cache_prepare(thaw_test_cache *cache, thaw_plan *plan, thaw_dataset *dataset,
                                    thaw_shard_part part);

void thaw_test_cache_drop(thaw_test_cache *cache);

/* After a test: drops a file that could not be written. */
void thaw_test_cache_check(thaw_test_cache *cache, thaw_context *context);

void thaw_test_cache_release(thaw_test_cache *cache, thaw_context *context);

#endif
