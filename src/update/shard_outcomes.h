/* What the shards of a step came to, and the factors of their sums that follow from it. */
#ifndef THAW_UPDATE_SHARD_OUTCOMES_H
#define THAW_UPDATE_SHARD_OUTCOMES_H

#include <stdbool.h>
#include <stddef.h>

/* What a shard's part of the step came to. */
typedef struct thaw_shard_outcome {
    double loss;          /* as differentiated */
    double total, weight; /* see thaw_layer_module.weigh */
    double correct, counted, samples;
} thaw_shard_outcome;

/* The whole step's outcome. `sums`: the loss is a sum over samples. */
thaw_shard_outcome thaw_shard_outcomes_add(const thaw_shard_outcome *outcomes, size_t count, bool sums);

typedef struct thaw_shard_factors {
    float gradients, statistics;
} thaw_shard_factors;

/* What makes the sum of gradients that of the whole step's loss, if each shard's is that of its total loss divided by
   the samples of the largest; and the sum of statistics their mean over shards that have samples. */
thaw_shard_factors thaw_shard_factors_of(const thaw_shard_outcome *outcomes, size_t count, size_t largest, bool sums);

#endif
