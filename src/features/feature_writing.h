/* Writes what the frozen prefix has computed of a batch into the rows of a feature cache. */
#ifndef THAW_FEATURES_FEATURE_WRITING_H
#define THAW_FEATURES_FEATURE_WRITING_H

#include <stdatomic.h>

#include "features/feature_dataset.h"
#include "plan/plan.h"

/* Samples that the prefix has just computed, and their targets. */
typedef struct thaw_feature_batch {
    const size_t *indices;
    const void *targets;
    size_t count;
} thaw_feature_batch;

/* Writes the rows that are not present, or that are this rank's, and rounds the plan's values where the rows are
   rounded. *failure becomes the errno of a row that could not be written. */
void thaw_feature_rows_write(const thaw_feature_rows *rows, const thaw_plan *plan, const thaw_feature_batch *batch,
                             const bool *present, atomic_int *failure);

#endif
