/* The feature cache of test data: tests read the samples once, and their figures have the bits of tests without it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "train/tested_run.h"

static void check_equal(const tested_run *cached, const tested_run *plain)
{
    for (int epoch = 1; epoch <= TESTED_EPOCHS; epoch++) {
        const thaw_epoch_result *found = &cached->results[epoch], *wanted = &plain->results[epoch];
        cr_assert_eq(found->tested, wanted->tested);
        if (!wanted->tested)
            continue;
        cr_assert_eq(found->test_loss, wanted->test_loss, "epoch %d: %.17g, not %.17g", epoch, found->test_loss,
                     wanted->test_loss);
        cr_assert_eq(found->test_accuracy, wanted->test_accuracy);
        cr_assert_eq(found->test_macro_f1, wanted->test_macro_f1);
    }
}

/* Both runs, with the budget and without: the first reads so many samples for its tests. */
static void check(const tested_run *told, size_t budget, size_t reads)
{
    tested_run cached = *told, plain = *told;
    cached.options.cache_bytes = budget;
    tested_train(&plain);
    tested_train(&cached);
    cr_assert_eq(plain.reads, (size_t)TESTED_EPOCHS * TESTED_COUNT, "without a cache %zu samples were read",
                 plain.reads);
    cr_assert_eq(cached.reads, reads, "%zu samples were read, not %zu", cached.reads, reads);
    check_equal(&cached, &plain);
}

Test(test_cache, reads_samples_once)
{
    check(&(tested_run){ 0 }, 1 << 20, TESTED_COUNT);
    check(&(tested_run){ .trainable = 0x10 }, 1 << 20, TESTED_COUNT);
    check(&(tested_run){ .trainable = 0x12 }, 1 << 20, TESTED_COUNT); /* a frozen layer inside the live part, too */
    check(&(tested_run){ .options = { .average_decay = 0.9 } }, 1 << 20, TESTED_COUNT);
    check(&(tested_run){ .options = { .shards = 2 } }, 1 << 20, TESTED_COUNT);
}

Test(test_cache, keeps_nothing_where_all_trains)
{
    check(&(tested_run){ .trainable = 0x1F }, 1 << 20, (size_t)TESTED_EPOCHS * TESTED_COUNT);
}

/* Augmented training data leave the whole budget to the test data. */
Test(test_cache, does_not_need_one_of_the_training_data)
{
    check(&(tested_run){ .random = true }, TESTED_COUNT * TESTED_ROW, TESTED_COUNT);
}

Test(test_cache, gets_what_the_training_data_leave)
{
    enum { BOTH = (TESTED_TRAINED + TESTED_COUNT) * TESTED_ROW };
    check(&(tested_run){ 0 }, BOTH, TESTED_COUNT);
    check(&(tested_run){ 0 }, BOTH - 1, (size_t)TESTED_EPOCHS * TESTED_COUNT);
    tested_run full = { .options = { .cache_bytes = BOTH } };
    tested_train(&full);
    cr_assert(full.results[2].cached && full.results[2].test_cached && !full.results[1].test_cached);
    cr_assert_eq(full.results[TESTED_EPOCHS].test_cache_bytes, TESTED_COUNT * TESTED_ROW);
    cr_assert_eq(full.results[TESTED_EPOCHS].cache_bytes, TESTED_TRAINED * TESTED_ROW);
}

/* conv2 trains from epoch 3 on, and what follows it is computed again in each epoch. */
Test(test_cache, follows_what_thaws)
{
    const thaw_strategy_rule rules[] = { { .epoch = 3, .pattern = "conv2", .action = THAW_ACTION_UNFREEZE } };
    const thaw_strategy strategy = { .name = "own", .rules = rules, .rule_count = 1 };
    check(&(tested_run){ .options = { .strategy = &strategy } }, 1 << 20, 2 * TESTED_COUNT);
}

/* Rules that thaw it before the next test: what is computed is not kept. */
Test(test_cache, is_not_begun_for_nobody)
{
    const thaw_strategy_rule rules[] = { { .epoch = 2, .pattern = "conv2", .action = THAW_ACTION_UNFREEZE } };
    const thaw_strategy strategy = { .name = "own", .rules = rules, .rule_count = 1 };
    tested_run now = { .options = { .strategy = &strategy, .cache_bytes = 1 << 20 } };
    tested_train(&now);
    cr_assert_eq(now.results[1].test_cache_bytes, 0);
    cr_assert_gt(now.results[2].test_cache_bytes, 0);
}

/* A host edits a frozen weight after epoch 2. */
Test(test_cache, sees_frozen_weights_that_the_host_changes)
{
    tested_run untouched = { .options = { .cache_bytes = 1 << 20 } };
    check(&(tested_run){ .edits = true }, 1 << 20, 2 * TESTED_COUNT);
    tested_run edited = { .edits = true, .options = { .cache_bytes = 1 << 20 } };
    tested_train(&untouched);
    tested_train(&edited);
    cr_assert_eq(edited.results[2].test_loss, untouched.results[2].test_loss);
    cr_assert_neq(edited.results[3].test_loss, untouched.results[3].test_loss, "the edit changes nothing");
}

Test(test_cache, never_keeps_a_sample_that_is_not_finite)
{
    tested_run now = { .spoils = true, .options = { .cache_bytes = 1 << 20 } };
    tested_train(&now);
    cr_assert_eq(now.reads, (size_t)TESTED_EPOCHS * TESTED_COUNT);
    for (int epoch = 1; epoch <= TESTED_EPOCHS; epoch++)
        cr_assert(isnan(now.results[epoch].test_loss), "epoch %d: %g", epoch, now.results[epoch].test_loss);
}

/* The cache of the training data is rounded, that of the test data is not. */
Test(test_cache, keeps_unrounded_values)
{
    check(&(tested_run){ .options = { .cache_dtype = THAW_F32 } }, 1 << 20, TESTED_COUNT);
    tested_run cached = { .options = { .cache_bytes = 1 << 20, .cache_dtype = THAW_BF16 } };
    tested_train(&cached);
    cr_assert_eq(cached.reads, TESTED_COUNT);
    cr_assert_eq(cached.evaluated.loss, cached.results[TESTED_EPOCHS].test_loss, "%.17g, not %.17g",
                 cached.results[TESTED_EPOCHS].test_loss, cached.evaluated.loss);
}

/* A frozen normalisation, or one that trains behind a frozen convolution: with rounding, as train.h says. */
Test(test_cache, agrees_with_an_evaluation_of_its_own)
{
    tested_run now = { .options = { .cache_bytes = 1 << 20 } };
    tested_train(&now);
    cr_assert_eq(now.evaluated.loss, now.results[TESTED_EPOCHS].test_loss);
    cr_assert_eq(now.evaluated.accuracy, now.results[TESTED_EPOCHS].test_accuracy);
}
