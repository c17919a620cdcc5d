/* Whether a run of thaw_fit uses a feature cache. */
#ifndef THAW_FEATURES_CACHE_CHOICE_H
#define THAW_FEATURES_CACHE_CHOICE_H

#include <thaw/train.h>

#include "plan/plan.h"

/* The limits that the options set for the feature cache of this data set, for plans. */
thaw_cache_budget thaw_cache_budget_of(const thaw_fit_options *options, const thaw_dataset *dataset);

/* How many views of each sample the epochs with this training plan go through: those of the data set, or as many as
   the limits allow to keep. 1 without views. Whether a cache has been made does not matter. */
size_t thaw_cache_views(const thaw_plan *plan, const thaw_fit_options *options, const thaw_dataset *dataset);

/* Reduces the limits of `rest`, which are those of the run, by what the cache of the training data takes with this
   training plan. Whether it has been made does not matter. Returns false if nothing is left. */
bool thaw_cache_leave_rest(const thaw_plan *plan, const thaw_dataset *training, thaw_fit_options *rest);

/* The first epoch after this one whose end has a test; past the last epoch if there is none. */
int thaw_next_test(const thaw_fit_options *options, int epoch);

/* Whether a cache that the test of this epoch fills will be used: in a later test, or by another run if it is a
   file. */
bool thaw_test_cache_pays(const thaw_plan *plan, const thaw_fit_options *options, int epoch);

/* Whether a cache that this plan begins to fill in this epoch will be used: in a later epoch, or by
   another run if it is a file. If the options ask for a cache that is impossible, the first epoch logs why. */
bool thaw_cache_pays(thaw_model *model, const thaw_plan *plan, const thaw_fit_options *options,
                     const thaw_dataset *dataset, int epoch);

#endif
