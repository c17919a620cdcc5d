/* Evaluating the test data of a run. */
#ifndef THAW_TRAIN_EVALUATION_H
#define THAW_TRAIN_EVALUATION_H

#include "train/test_cache.h"

/* thaw_evaluate_with, on all ranks if there is a communicator, which starts at the cache where that has all samples, and
   fills it otherwise. Errors: those of thaw_ranks_evaluate and thaw_test_cache_prepare. */
thaw_status thaw_evaluate_with_cache(thaw_model *model, thaw_dataset *dataset, const thaw_evaluation_options *options,
                                     const thaw_communicator *communicator, thaw_test_cache *cache,
                                     thaw_evaluation *result);

#endif
