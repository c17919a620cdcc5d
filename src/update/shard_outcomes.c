#include "update/shard_outcomes.h"

/* In the order of the shards. */
thaw_shard_outcome thaw_shard_outcomes_add(const thaw_shard_outcome *outcomes, size_t count, bool sums)
{
    thaw_shard_outcome all = { 0 };
    for (size_t i = 0; i < count; i++) {
        all.loss += outcomes[i].loss;
        all.total += outcomes[i].total;
        all.weight += outcomes[i].weight;
        all.correct += outcomes[i].correct;
        all.counted += outcomes[i].counted;
        all.samples += outcomes[i].samples;
    }
    if (!sums)
        all.loss = all.weight > 0 ? all.total / all.weight : 0;
    return all;
}

thaw_shard_factors thaw_shard_factors_of(const thaw_shard_outcome *outcomes, size_t count, size_t largest, bool sums)
{
    const double weight = thaw_shard_outcomes_add(outcomes, count, sums).weight;
    size_t filled = 0;
    for (size_t i = 0; i < count; i++)
        filled += outcomes[i].samples > 0;
    return (thaw_shard_factors){ .gradients = sums         ? 1
                                              : weight > 0 ? (float)((double)largest / weight)
                                                           : 0,
                                 .statistics = (float)(1 / (double)filled) };
}
