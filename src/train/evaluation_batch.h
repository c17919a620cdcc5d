/* A batch in evaluation. */
#ifndef THAW_TRAIN_EVALUATION_BATCH_H
#define THAW_TRAIN_EVALUATION_BATCH_H

#include "features/feature_cache.h"

/* What is evaluated. */
typedef struct thaw_evaluated_batch {
    int64_t count;
    const float *samples;  /* NULL: from the feature cache */
    int64_t most;          /* as in thaw_training_batch */
    const float *features; /* its rows: see thaw_training_batch */
    const void *targets;   /* NULL: none */
    const size_t *indices; /* of the samples in their data set; only with a cache to fill */

    const thaw_cache_budget *cut; /* the plan is that of thaw_plan_find_test; NULL: the plan of inference */
    thaw_feature_cache *cache;    /* keeps what the prefix computes; NULL: nothing does */
} thaw_evaluated_batch;

/* Its results. */
typedef struct thaw_batch_outcome {
    const float *outputs; /* of the output node; valid until the next run */
    size_t output_count;  /* of a sample */
    const void *targets;  /* cut as the outputs are; only with targets, and valid as long */
    size_t labels;        /* of the batch, if targets are labels */
    double total, weight; /* of the loss, see thaw_layer_module.weigh; only with targets */
} thaw_batch_outcome;

/* Forward pass in evaluation. If a value of a sample is not finite, nothing of the batch is kept. Errors: those of
   thaw_evaluate. */
thaw_status thaw_evaluate_batch(thaw_model *model, const thaw_evaluated_batch *batch, thaw_batch_outcome *outcome);

#endif
