/* The feature cache in bfloat16: half the bytes, values rounded to the nearest, and one result whether features are
   computed or found. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "plan/plan.h"
#include "plan/store.h"
#include "support/files.h"
#include "support/network.h"

enum { SAMPLES = 45, EPOCHS = 4, FEATURES = 30, LABEL = sizeof(int32_t), HEADER = 4096, STRIDE = 128, SEED = 5 };

typedef struct outcome {
    float *weights;
    size_t count, cached_epochs;
    thaw_epoch_result epoch_result;
} outcome;

static bool count_cached(void *user, const thaw_epoch_result *epoch_result)
{
    *(size_t *)user += epoch_result->cached;
    return true;
}

static outcome train(size_t cache_bytes, const char *file, thaw_dtype dtype)
{
    outcome result = { 0 };
    thaw_context *context = support_context(2);
    thaw_model *model = support_network(context, true);
    thaw_dataset *data = support_samples(context, SAMPLES, SEED);
    support_optimize(model, "adam:lr=0.01");
    support_train_only(model, 0x1C);
    const thaw_fit_options options = {
        .epochs = EPOCHS,
        .batch = 16,
        .cache_bytes = cache_bytes,
        .cache_file = file,
        .cache_dtype = dtype,
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

static bool equal(const outcome *a, const outcome *b)
{
    return memcmp(a->weights, b->weights, a->count * sizeof(float)) == 0 &&
           a->epoch_result.loss == b->epoch_result.loss;
}

static char directory[SUPPORT_PATH_BYTES], path[SUPPORT_PATH_BYTES];

static void set_up(void)
{
    support_make_directory(directory);
    support_path(path, directory, "features");
}

static void tear_down(void)
{
    support_remove_directory(directory);
}

TestSuite(cache_bfloat16, .init = set_up, .fini = tear_down);

Test(cache_bfloat16, takes_half_the_bytes_and_trains_alike_in_memory_and_in_a_file)
{
    const size_t bytes = SAMPLES * (FEATURES * 2 + LABEL);
    outcome floats = train(1 << 20, NULL, THAW_F32), memory = train(bytes, NULL, THAW_BF16);
    outcome filled = train(0, path, THAW_BF16), found = train(0, path, THAW_BF16);
    cr_assert_eq(memory.epoch_result.cache_bytes, bytes, "%zu bytes", memory.epoch_result.cache_bytes);
    cr_assert_eq(memory.cached_epochs, EPOCHS - 1);
    cr_assert_eq(filled.cached_epochs, EPOCHS - 1);
    cr_assert_eq(found.cached_epochs, EPOCHS, "%zu epochs were cached", found.cached_epochs);
    cr_assert(equal(&memory, &filled), "in memory and in a file");
    cr_assert(equal(&filled, &found), "computed and found");
    cr_assert_not(equal(&memory, &floats), "nothing was rounded");
    cr_assert_lt(fabs(memory.epoch_result.loss / floats.epoch_result.loss - 1), 0.01, "loss %g, with floats %g",
                 memory.epoch_result.loss, floats.epoch_result.loss);
    free(floats.weights);
    free(memory.weights);
    free(filled.weights);
    free(found.weights);
}

Test(cache_bfloat16, is_not_believed_by_floats_nor_they_by_it)
{
    outcome plain = train(1 << 20, NULL, THAW_F32), rounded = train(1 << 20, NULL, THAW_BF16);
    static const thaw_dtype precisions[] = { THAW_F32, THAW_BF16, THAW_F32 };
    for (size_t i = 0; i < THAW_COUNT(precisions); i++) {
        outcome found = train(0, path, precisions[i]);
        cr_assert_eq(found.cached_epochs, EPOCHS - 1, "run %zu began with the other's file", i);
        cr_assert(equal(&found, precisions[i] == THAW_F32 ? &plain : &rounded), "run %zu", i);
        free(found.weights);
    }
    free(plain.weights);
    free(rounded.weights);
}

/* What the prefix gives for all samples, in the caller's memory. */
static float *compute_features(void)
{
    thaw_context *context = support_context(2);
    thaw_model *model = support_network(context, true);
    thaw_dataset *data = support_samples(context, SAMPLES, SEED);
    size_t indices[SAMPLES];
    int32_t labels[SAMPLES];
    static float samples[SAMPLES * NETWORK_SAMPLE];
    for (size_t i = 0; i < SAMPLES; i++)
        indices[i] = i;
    assert_ok(context, thaw_dataset_read(data, indices, SAMPLES, samples, labels));
    support_train_only(model, 0x1C);
    thaw_plan *plan;
    assert_ok(context, thaw_plan_find(model, SAMPLES, true, &plan));
    assert_ok(context, thaw_program_prepare(plan));
    thaw_program_feed_samples(plan, samples);
    assert_ok(context, thaw_program_run(plan, THAW_SECTION_PREFIX));
    float *features = malloc(SAMPLES * FEATURES * sizeof *features);
    cr_assert_not_null(features);
    for (size_t i = 0; i < plan->prefix_count; i++)
        if (plan->nodes[plan->order[i]].boundary)
            memcpy(features, thaw_plan_output(plan, plan->order[i]), SAMPLES * FEATURES * sizeof *features);
    thaw_dataset_destroy(data);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
    return features;
}

/* bfloat16 has eight bits of a number: the nearest of them is within a half of 2^-7 of its leading one. */
Test(cache_bfloat16, keeps_the_nearest_values)
{
    static char content[HEADER + SAMPLES * STRIDE];
    outcome filled = train(0, path, THAW_BF16);
    free(filled.weights);
    cr_assert_eq(support_read_file(path, content, sizeof content), sizeof content);
    float *features = compute_features();
    size_t positive = 0;
    for (size_t i = 0; i < SAMPLES * FEATURES; i++) {
        uint16_t kept;
        memcpy(&kept, content + HEADER + i / FEATURES * STRIDE + i % FEATURES * sizeof kept, sizeof kept);
        const uint32_t bits = (uint32_t)kept << 16;
        float value;
        memcpy(&value, &bits, sizeof value);
        const double most = ldexp(1, ilogb((double)features[i] + 1e-30) - 8) * 1.001;
        cr_assert_leq(fabs((double)value - (double)features[i]), most, "feature %zu is %.9g, kept as %.9g", i,
                      (double)features[i], (double)value);
        positive += value > 0;
    }
    cr_assert_gt(positive, SAMPLES, "%zu features are not zero", positive);
    free(features);
}
