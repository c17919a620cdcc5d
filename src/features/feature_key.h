/* A fingerprint of everything that the outputs of a frozen prefix depend on: equal keys mean equal features. */
#ifndef THAW_FEATURES_FEATURE_KEY_H
#define THAW_FEATURES_FEATURE_KEY_H

#include <thaw/data.h>

#include "core/digest.h"
#include "plan/plan.h"

/* Covers the prefix's layers and parameters, the data set's samples, targets and number of views (by its identity, or else by reading
   all, in all views), and the prefix's outputs for the first batch, which depend on options of layers, kernels and instruction
   sets. Runs the prefix. Errors: THAW_IO_ERROR (the data set), THAW_OUT_OF_MEMORY. */
thaw_status thaw_feature_key_of(thaw_plan *plan, thaw_dataset *dataset, thaw_digest *key);

#endif
