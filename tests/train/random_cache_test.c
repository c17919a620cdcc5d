/* Random networks with random freezing: what trains comes out the same whether the outputs of the frozen prefix are
   cached at its end, cached at an earlier place, or computed in each epoch; and whether values are kept for backward or
   computed again. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/random_network.h"

enum { SAMPLES = 10, BATCH = 4, EPOCHS = 3, NETWORKS = 60 };

static bool read_images(void *user, const size_t *indices, size_t count, float *samples, void *targets, char *message,
                        size_t capacity)
{
    (void)user, (void)message, (void)capacity;
    for (size_t i = 0; i < count; i++) {
        support_fill(samples + i * RANDOM_SAMPLE, RANDOM_SAMPLE, (uint32_t)indices[i] + 3);
        ((int32_t *)targets)[i] = (int32_t)(indices[i] % RANDOM_CLASSES);
    }
    return true;
}

typedef struct setting {
    bool unfused, recompute;
    size_t cache_bytes;
} setting;

typedef struct outcome {
    float *weights;
    size_t count;
    thaw_epoch_result epoch_result;
    size_t recomputed_bytes;
} outcome;

static outcome train(thaw_context *context, uint64_t seed, setting told)
{
    outcome result = { 0 };
    thaw_model *model = random_network(context, seed, !told.unfused);
    thaw_dataset *data;
    const thaw_source source = {
        .count = SAMPLES,
        .sample_shape = { 3, { RANDOM_SIDE, RANDOM_SIDE, RANDOM_CHANNELS } },
        .target_dtype = THAW_I32,
        .classes = RANDOM_CLASSES,
        .read = read_images,
    };
    assert_ok(context, thaw_dataset_create(context, &source, &data));
    thaw_model_set_recompute(model, told.recompute);
    const thaw_fit_options options = { .epochs = EPOCHS, .batch = BATCH, .cache_bytes = told.cache_bytes };
    assert_ok(context, thaw_fit(model, data, &options, &result.epoch_result));
    const thaw_plan *plan;
    assert_ok(context, thaw_model_plan(model, &(thaw_plan_options){ .batch = BATCH }, &plan));
    result.recomputed_bytes = thaw_plan_totals_of(plan).recomputed_bytes;
    result.weights = support_weights(model, &result.count);
    thaw_dataset_destroy(data);
    thaw_model_destroy(model);
    return result;
}

static void assert_equal(const outcome *found, const outcome *expected, uint64_t seed, const char *what)
{
    cr_assert_eq(found->epoch_result.loss, expected->epoch_result.loss, "network %lu, %s: loss %.9g, wanted %.9g",
                 (unsigned long)seed, what, found->epoch_result.loss, expected->epoch_result.loss);
    cr_assert(memcmp(found->weights, expected->weights, found->count * sizeof(float)) == 0,
              "network %lu, %s: weights differ", (unsigned long)seed, what);
}

/* Kernels that fuse otherwise round otherwise. */
static void assert_alike(const outcome *found, const outcome *expected, uint64_t seed, const char *what)
{
    for (size_t i = 0; i < found->count; i++)
        cr_assert_leq(fabsf(found->weights[i] - expected->weights[i]), 1e-5F * fmaxf(1, fabsf(expected->weights[i])),
                      "network %lu, %s, weight %zu: %g, wanted %g", (unsigned long)seed, what, i,
                      (double)found->weights[i], (double)expected->weights[i]);
}

typedef struct tally {
    size_t cached, earlier, recomputed;
} tally;

static void compare(thaw_context *context, uint64_t seed, tally *seen)
{
    outcome plain = train(context, seed, (setting){ 0 });
    outcome cached = train(context, seed, (setting){ .cache_bytes = 1 << 24 });
    outcome unfused = train(context, seed, (setting){ .unfused = true });
    outcome unfused_cached = train(context, seed, (setting){ .unfused = true, .cache_bytes = 1 << 24 });
    outcome again = train(context, seed, (setting){ .recompute = true, .cache_bytes = 1 << 24 });
    assert_equal(&cached, &plain, seed, "cached");
    assert_equal(&unfused_cached, &unfused, seed, "unfused and cached");
    assert_equal(&again, &plain, seed, "recomputed");
    assert_alike(&unfused, &plain, seed, "unfused");
    seen->cached += cached.epoch_result.cached;
    seen->recomputed += again.recomputed_bytes > 0;
    if (cached.epoch_result.cached) {
        outcome earlier = train(context, seed, (setting){ .cache_bytes = cached.epoch_result.cache_bytes - 1 });
        assert_alike(&earlier, &plain, seed, "cached at an earlier place");
        seen->earlier += earlier.epoch_result.cached;
        free(earlier.weights);
    }
    free(plain.weights);
    free(cached.weights);
    free(unfused.weights);
    free(unfused_cached.weights);
    free(again.weights);
}

Test(random_cache, networks_train_alike_however_they_are_run)
{
    thaw_context *context = support_context(2);
    tally seen = { 0 };
    for (uint64_t seed = 0; seed < NETWORKS; seed++)
        compare(context, seed, &seen);
    cr_assert_gt(seen.cached, NETWORKS / 4, "%zu networks were cached", seen.cached);
    cr_assert_gt(seen.earlier, 0, "none was cached at an earlier place");
    cr_assert_gt(seen.recomputed, NETWORKS / 8, "%zu networks computed values again", seen.recomputed);
    thaw_context_destroy(context);
}
