/* Whether a run of thaw_fit uses a feature cache. */
#ifndef THAW_FEATURES_CACHE_CHOICE_H
#define THAW_FEATURES_CACHE_CHOICE_H

#include <thaw/train.h>

#include "plan/plan.h"

/* The limits that the options set for the feature cache of this data set, for plans. */
thaw_cache_budget thaw_cache_budget_of(const thaw_fit_options *options, const thaw_dataset *dataset);

/* Whether a cache that this plan fills in this epoch will be used: in a later epoch, or by another run if it is a
   file. If the options ask for a cache that is impossible, the first epoch logs why. */
bool thaw_cache_pays(thaw_model *model, const thaw_plan *plan, const thaw_fit_options *options, int epoch);

#endif
