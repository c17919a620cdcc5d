/* Steps in shards beside steps of the whole batch: what they train, and their memory. */
#include <stdlib.h>
#include <string.h>

#include "support/gradients.h"
#include "support/network.h"

/* ---- the update is of the whole step ---- */

/* Trains two models side by side, one in shards; returns how far their weights are apart. */
static double train_both(const char *optimizer, double clip_norm, int64_t shards, int steps)
{
    thaw_context *context = support_context(1);
    thaw_model *models[2];
    float *weights[2];
    size_t count = 0;
    for (int i = 0; i < 2; i++) {
        models[i] = support_network(context, true);
        support_optimize(models[i], optimizer);
        for (int step = 1; step <= steps; step++) {
            const thaw_step_options options = { .clip_norm = clip_norm, .shards = i == 0 ? 0 : shards };
            assert_ok(context, support_step(models[i], 12, (uint32_t)step, &options, NULL));
        }
        weights[i] = support_weights(models[i], &count);
    }
    const double apart = support_distance(weights[0], weights[1], count);
    for (int i = 0; i < 2; i++) {
        free(weights[i]);
        thaw_model_destroy(models[i]);
    }
    thaw_context_destroy(context);
    return apart;
}

/* With dropout. Adam counts one step for all shards; its first step moves every weight by the rate, whatever the
   gradient's size, so that two counted steps would be far off. The clipped norm is that of the sum. */
Test(shards, training_is_that_of_whole_batches)
{
    static const char *const optimizers[] = { "sgd:lr=0.1,momentum=0.9", "adam:lr=0.001" };
    for (size_t i = 0; i < THAW_COUNT(optimizers); i++)
        for (int64_t shards = 2; shards <= 5; shards++) {
            const double plain = train_both(optimizers[i], 0, shards, 4);
            const double clipped = train_both(optimizers[i], 0.05, shards, 4);
            const double tolerance = i == 0 ? 1e-6 : 1e-4; /* Adam divides by gradients that are almost 0 */
            cr_assert_leq(plain, tolerance, "%s in %d shards: %.3g apart", optimizers[i], (int)shards, plain);
            cr_assert_leq(clipped, tolerance, "%s in %d shards, clipped: %.3g apart", optimizers[i], (int)shards,
                          clipped);
        }
}

Test(shards, the_norm_is_of_the_whole_step)
{
    thaw_context *context = support_context(1);
    thaw_model *model = support_network(context, false);
    thaw_step_result whole, cut;
    support_optimize(model, "sgd:lr=0.1");
    const thaw_step_options options = { .clip_norm = 0.01, .gradients_only = true };
    thaw_step_options in_shards = options;
    in_shards.shards = 4;
    assert_ok(context, support_step(model, 12, 1, &options, &whole));
    assert_ok(context, support_step(model, 12, 1, &in_shards, &cut));
    cr_assert_float_eq(cut.gradient_norm, whole.gradient_norm, 1e-6 * whole.gradient_norm, "%.9g, wanted %.9g",
                       cut.gradient_norm, whole.gradient_norm);
    size_t count;
    float *gradients = support_gradients(model, &count);
    cr_assert_float_eq(support_norm(gradients, count), 0.01, 1e-6);
    free(gradients);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* ---- runs ---- */

/* 50 samples in batches of 16: the last has 2. Returns the weights at the end; *cached: the last epoch was. */
static float *fit(int64_t shards, size_t cache_bytes, thaw_epoch_result *last, size_t *count)
{
    thaw_context *context = support_context(2);
    thaw_model *model = support_network(context, true);
    thaw_dataset *data = support_samples(context, 50, 3);
    support_optimize(model, "sgd:lr=0.05,momentum=0.9");
    assert_ok(context, thaw_model_freeze(model, "conv*"));
    const thaw_fit_options options = {
        .epochs = 3, .batch = 16, .shards = shards, .cache_bytes = cache_bytes, .test = data
    };
    assert_ok(context, thaw_fit(model, data, &options, last));
    float *weights = support_weights(model, count);
    thaw_dataset_destroy(data);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
    return weights;
}

Test(shards, runs_are_those_of_whole_batches_with_and_without_a_cache)
{
    thaw_epoch_result results[3];
    size_t count;
    float *whole = fit(1, 0, &results[0], &count), *cut = fit(4, 0, &results[1], &count);
    float *cached = fit(4, 1 << 20, &results[2], &count);
    cr_assert(!results[1].cached && results[2].cached);
    cr_assert_arr_eq(cut, cached, count * sizeof *cut);
    const double apart = support_distance(whole, cut, count);
    cr_assert_leq(apart, 1e-6, "%.3g apart", apart);
    cr_assert(memcmp(whole, cut, count * sizeof *cut) != 0, "shards were not used");
    cr_assert_float_eq(results[1].loss, results[0].loss, 1e-5);
    cr_assert_float_eq(results[1].test_loss, results[0].test_loss, 1e-5);
    cr_assert_lt(results[1].activation_bytes, results[0].activation_bytes / 2);
    free(whole);
    free(cut);
    free(cached);
}

Test(shards, numbers_of_shards_that_do_not_work)
{
    thaw_context *context = support_context(1);
    thaw_model *model = support_network(context, false);
    support_optimize(model, "sgd:lr=0.1");
    const thaw_step_options below = { .shards = -1 }, above = { .shards = THAW_MOST_SHARDS + 1 };
    assert_fails(context, support_step(model, 12, 1, &below, NULL), THAW_INVALID_ARGUMENT, "shards is -1");
    assert_fails(context, support_step(model, 12, 1, &above, NULL), THAW_INVALID_ARGUMENT, "shards is 4097");
    thaw_dataset *data = support_samples(context, 20, 3);
    assert_fails(context, thaw_fit(model, data, &(thaw_fit_options){ .batch = 10, .shards = 4 }, NULL),
                 THAW_INVALID_ARGUMENT, "batch is 10, must be a multiple of the 4 shards");
    thaw_dataset_destroy(data);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* ---- memory ---- */

Test(shards, a_plan_tells_the_memory_of_shards)
{
    thaw_context *context = support_context(1);
    thaw_model *model = support_network(context, false);
    support_optimize(model, "sgd:lr=0.1");
    const thaw_plan *plan;
    assert_ok(context, thaw_model_plan(model, &(thaw_plan_options){ .batch = 64 }, &plan));
    const thaw_plan_totals whole = thaw_plan_totals_of(plan);
    assert_ok(context, thaw_model_plan(model, &(thaw_plan_options){ .batch = 16 }, &plan));
    const thaw_plan_totals small = thaw_plan_totals_of(plan);
    assert_ok(context, thaw_model_plan(model, &(thaw_plan_options){ .batch = 64, .shards = 4 }, &plan));
    const thaw_plan_totals cut = thaw_plan_totals_of(plan);
    cr_assert_eq(cut.activation_bytes, small.activation_bytes);
    cr_assert_lt(cut.activation_bytes, whole.activation_bytes);
    cr_assert(whole.shards == 1 && whole.shard_bytes == 0 && cut.shards == 4);
    /* Two digits in 3, and a copy of all gradients for each; tensors are padded to 64 bytes. */
    cr_assert_geq(cut.shard_bytes, 2 * cut.gradient_bytes);
    cr_assert_leq(cut.shard_bytes, 2 * (cut.gradient_bytes + 64 * 2 * NETWORK_GROUPS));
    char *text;
    assert_ok(context, thaw_plan_describe(plan, &text));
    cr_assert_not_null(strstr(text, "each of 4 shards of a step"));
    thaw_text_destroy(context, text);
    assert_ok(context, thaw_plan_program(plan, &text));
    cr_assert_not_null(strstr(text, "total     total"));
    thaw_text_destroy(context, text);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
