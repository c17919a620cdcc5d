/* Epochs that start at the feature cache give what epochs without it give. */
#include <stdlib.h>
#include <string.h>

#include "support/network.h"

typedef struct outcome {
    float *weights;
    size_t count;
    thaw_epoch_result epoch_result;
    size_t cached_epochs;
} outcome;

static bool count_cached(void *user, const thaw_epoch_result *epoch_result)
{
    *(size_t *)user += epoch_result->cached;
    return true;
}

static outcome train(size_t cache_bytes, unsigned trainable, const thaw_strategy_rule *rules, size_t rule_count)
{
    outcome result = { 0 };
    thaw_context *context = support_context(2);
    thaw_model *model = support_network(context, true);
    thaw_dataset *data = support_samples(context, 45, 5); /* the last batch is smaller */
    support_optimize(model, "adam:lr=0.01");
    support_train_only(model, trainable);
    const thaw_strategy strategy = { .name = "own", .rules = rules, .rule_count = rule_count };
    const thaw_fit_options options = {
        .epochs = 4,
        .batch = 16,
        .cache_bytes = cache_bytes,
        .strategy = &strategy,
        .on_epoch = count_cached,
        .user = &result.cached_epochs,
    };
    assert_ok(context, thaw_fit(model, data, &options, &result.epoch_result));
    result.weights = support_weights(model, &result.count);
    thaw_dataset_destroy(data);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
    return result;
}

static void check_equal(unsigned trainable, const thaw_strategy_rule *rules, size_t rule_count, size_t cached_epochs)
{
    outcome plain = train(0, trainable, rules, rule_count), cached = train(1 << 24, trainable, rules, rule_count);
    cr_assert_eq(plain.cached_epochs, 0);
    cr_assert_eq(cached.cached_epochs, cached_epochs, "%zu epochs were cached", cached.cached_epochs);
    cr_assert(memcmp(plain.weights, cached.weights, plain.count * sizeof(float)) == 0, "weights differ");
    cr_assert_eq(plain.epoch_result.loss, cached.epoch_result.loss);
    free(plain.weights);
    free(cached.weights);
}

Test(cache, gives_the_bits_of_training_without_it)
{
    check_equal(0x1C, NULL, 0, 3); /* both convolutions frozen */
    check_equal(0x10, NULL, 0, 3); /* all but the last layer */
    check_equal(0x12, NULL, 0, 3); /* a frozen layer inside the live part, too */
}

Test(cache, serves_nothing_when_nothing_is_frozen_below)
{
    check_equal(0x1F, NULL, 0, 0);
    check_equal(0x01, NULL, 0, 0);
}

Test(cache, is_dropped_when_the_prefix_thaws)
{
    const thaw_strategy_rule rules[] = { { .epoch = 3, .pattern = "conv2", .action = THAW_ACTION_UNFREEZE } };
    check_equal(0x1C, rules, 1, 2); /* epoch 2, and epoch 4 behind conv1 */
}

static bool note_first_bytes(void *user, const thaw_epoch_result *epoch_result)
{
    if (epoch_result->epoch == 1)
        *(size_t *)user = epoch_result->cache_bytes;
    return true;
}

/* Else a first epoch would fill a cache that the second throws away. */
Test(cache, is_not_begun_when_the_prefix_thaws_in_the_next_epoch)
{
    const thaw_strategy_rule rules[] = { { .epoch = 2, .pattern = "conv2.weight", .action = THAW_ACTION_UNFREEZE } };
    check_equal(0x1C, rules, 1, 2); /* epochs 3 and 4 behind conv1 */
    size_t bytes = 1;
    thaw_context *context = support_context(2);
    thaw_model *model = support_network(context, false);
    thaw_dataset *data = support_samples(context, 45, 5);
    support_optimize(model, "adam");
    support_train_only(model, 0x1C);
    const thaw_strategy strategy = { .name = "own", .rules = rules, .rule_count = 1 };
    const thaw_fit_options options = {
        .epochs = 3,
        .cache_bytes = 1 << 24,
        .strategy = &strategy,
        .on_epoch = note_first_bytes,
        .user = &bytes,
    };
    thaw_epoch_result last;
    assert_ok(context, thaw_fit(model, data, &options, &last));
    cr_assert_eq(bytes, 0);
    cr_assert_gt(last.cache_bytes, 0);
    thaw_dataset_destroy(data);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(cache, keeps_to_its_budget)
{
    /* 45 samples of 30 floats and a label, less one byte. */
    outcome result = train(45 * (30 * 4 + 4) - 1, 0x1C, NULL, 0);
    cr_assert_eq(result.cached_epochs, 0);
    cr_assert_eq(result.epoch_result.cache_bytes, 0);
    free(result.weights);
    result = train(45 * (30 * 4 + 4), 0x1C, NULL, 0);
    cr_assert_eq(result.cached_epochs, 3);
    cr_assert_eq(result.epoch_result.cache_bytes, 45 * (30 * 4 + 4));
    free(result.weights);
}
