/* Mixing of samples and targets against loops written out here, what is drawn for it, and runs that mix. */
#include "train/mixing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/philox.h"
#include "support/network.h"

enum { ROWS = 5, SIDE = 6, CHANNELS = 3, ELEMENTS = SIDE * SIDE * CHANNELS, DRAWS = 20000 };

static const thaw_shape image = { .rank = 3, .dims = { SIDE, SIDE, CHANNELS } };

/* ---- what is drawn ---- */

Test(mixing, draws_from_beta)
{
    static const double alphas[] = { 0.1, 0.2, 1, 2, 8 };
    thaw_context *context = support_context(1);
    for (size_t a = 0; a < THAW_COUNT(alphas); a++) {
        double sum = 0, squares = 0;
        for (uint64_t i = 0; i < DRAWS; i++) {
            uint32_t words[THAW_BETA_WORDS];
            const thaw_stream stream = { .seed = 4, .purpose = THAW_PURPOSE_MIXING };
            thaw_random_fill(context, &stream, 64 * i, THAW_BETA_WORDS, words);
            const double lambda = thaw_mixing_beta(alphas[a], words);
            cr_assert(lambda >= 0 && lambda <= 1, "lambda %g", lambda);
            sum += lambda;
            squares += lambda * lambda;
        }
        const double mean = sum / DRAWS, variance = squares / DRAWS - mean * mean;
        cr_assert_float_eq(mean, 0.5, 0.012, "alpha %g: mean %g", alphas[a], mean);
        cr_assert_float_eq(variance * 4 * (2 * alphas[a] + 1), 1, 0.04, "alpha %g: variance %g", alphas[a], variance);
    }
    thaw_context_destroy(context);
}

/* With lambda from Beta(1, 1). */
Test(mixing, cuts_rectangles_inside_of_images)
{
    thaw_context *context = support_context(1);
    const thaw_mixing_options options = { .cutmix = 1, .mixup = 1 };
    const thaw_shape large = { .rank = 3, .dims = { 40, 60, 3 } };
    size_t cut = 0;
    double area = 0;
    for (uint64_t step = 0; step < DRAWS; step++) {
        const thaw_mixing part = { context, &options, 3, step, 0, ROWS };
        const thaw_mixed mixed = thaw_mixing_draw(&part, &large);
        cr_assert(mixed.other >= 0 && mixed.other <= 1);
        if (!mixed.cuts)
            continue;
        cut++;
        cr_assert(mixed.left + mixed.width <= 60 && mixed.top + mixed.height <= 40);
        cr_assert_float_eq(mixed.other, (double)(mixed.width * mixed.height) / 2400, 1e-12);
        area += mixed.other;
    }
    cr_assert_float_eq((double)cut / DRAWS, 0.5, 0.02, "%zu of %d are cut", cut, DRAWS);
    /* by torchvision's formula in numpy */
    cr_assert_float_eq(area / (double)cut, 0.3067, 0.006, "area %g", area / (double)cut);
    thaw_context_destroy(context);
}

/* ---- loops ---- */

static void check_rows(int threads)
{
    thaw_context *context = support_context(threads);
    static float rows[ROWS * ELEMENTS], wanted[ROWS * ELEMENTS];
    const thaw_mixing part = { .context = context, .count = ROWS };
    support_fill(rows, ROWS * ELEMENTS, 3);
    for (size_t i = 0; i < ROWS; i++)
        for (size_t k = 0; k < ELEMENTS; k++)
            wanted[i * ELEMENTS + k] =
                rows[(i + ROWS - 1) % ROWS * ELEMENTS + k] * 0.25F + rows[i * ELEMENTS + k] * 0.75F;
    thaw_mixing_rows(&part, 0.25, rows, ELEMENTS);
    cr_assert_eq(memcmp(rows, wanted, sizeof rows), 0, "%d threads", threads);
    thaw_context_destroy(context);
}

static void check_cut(int threads)
{
    thaw_context *context = support_context(threads);
    static float rows[ROWS * ELEMENTS], wanted[ROWS * ELEMENTS];
    const thaw_mixing part = { .context = context, .count = ROWS };
    const thaw_mixed mixed = { .other = 0.25, .cuts = true, .top = 1, .left = 2, .height = 3, .width = 4 };
    support_fill(rows, ROWS * ELEMENTS, 3);
    memcpy(wanted, rows, sizeof rows);
    for (size_t i = 0; i < ROWS; i++)
        for (size_t y = 1; y < 4; y++)
            for (size_t k = 2 * CHANNELS; k < 6 * CHANNELS; k++)
                wanted[i * ELEMENTS + y * SIDE * CHANNELS + k] =
                    rows[(i + ROWS - 1) % ROWS * ELEMENTS + y * SIDE * CHANNELS + k];
    thaw_mixing_cut(&part, &mixed, &image, rows);
    cr_assert_eq(memcmp(rows, wanted, sizeof rows), 0, "%d threads", threads);
    thaw_context_destroy(context);
}

Test(mixing, mixes_each_sample_with_the_one_before)
{
    for (int threads = 1; threads < 4; threads++) {
        check_rows(threads);
        check_cut(threads);
    }
}

/* One factor for each sample and channel, of mean 1, whatever part of the batch it is drawn for. */
Test(mixing, multiplies_channels)
{
    enum { MANY = 400 };
    thaw_context *context = support_context(2);
    const thaw_mixing_options options = { .feature_noise = 0.3 };
    static float rows[MANY * ELEMENTS], half[MANY / 2 * ELEMENTS];
    double sum = 0, squares = 0;
    for (size_t i = 0; i < MANY * ELEMENTS; i++)
        rows[i] = 2;
    for (size_t i = 0; i < MANY / 2 * ELEMENTS; i++)
        half[i] = 2;
    thaw_mixing_features(&(thaw_mixing){ context, &options, 3, 8, 0, MANY }, 0, &image, rows);
    thaw_mixing_features(&(thaw_mixing){ context, &options, 3, 8, MANY / 2, MANY / 2 }, 0, &image, half);
    cr_assert_eq(memcmp(rows + MANY / 2 * ELEMENTS, half, sizeof half), 0, "the second half");
    for (size_t i = 0; i < MANY; i++)
        for (size_t c = 0; c < CHANNELS; c++) {
            const double factor = (double)rows[i * ELEMENTS + c] / 2;
            for (size_t p = 1; p < SIDE * SIDE; p++)
                cr_assert_eq(rows[i * ELEMENTS + p * CHANNELS + c], rows[i * ELEMENTS + c]);
            sum += factor;
            squares += (factor - 1) * (factor - 1);
        }
    cr_assert_float_eq(sum / (MANY * CHANNELS), 1, 0.03, "mean %g", sum / (MANY * CHANNELS));
    cr_assert_float_eq(sqrt(squares / (MANY * CHANNELS)), 0.3, 0.02, "deviation");
    thaw_context_destroy(context);
}

/* ---- runs ---- */

typedef struct run {
    thaw_mixing_options mixing;
    size_t cache_bytes;
    int threads;
    int64_t shards;
    unsigned trainable; /* 0: the dense layers */
    thaw_epoch_result last;
    float *weights;
    size_t count;
} run;

static void train(run *now)
{
    thaw_context *context = support_context(now->threads ? now->threads : 1);
    thaw_model *model = support_network(context, true);
    thaw_dataset *data = support_samples(context, 45, 5);
    support_optimize(model, "adam:lr=0.01");
    support_train_only(model, now->trainable ? now->trainable : 0x1C);
    const thaw_fit_options options = { .epochs = 4,
                                       .batch = 16,
                                       .shards = now->shards,
                                       .cache_bytes = now->cache_bytes,
                                       .test = data,
                                       .mixing = now->mixing };
    assert_ok(context, thaw_fit(model, data, &options, &now->last));
    now->weights = support_weights(model, &now->count);
    thaw_dataset_destroy(data);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

static bool alike(run one, run other)
{
    train(&one);
    train(&other);
    const bool same = one.count == other.count && memcmp(one.weights, other.weights, one.count * sizeof(float)) == 0;
    free(one.weights);
    free(other.weights);
    return same;
}

/* Features are mixed and multiplied where they are computed as where they are cached. */
Test(mixing, of_features_is_the_same_with_a_cache)
{
    static const thaw_mixing_options options[] = { { .feature_mixup = 0.4 },
                                                   { .feature_noise = 0.2 },
                                                   { .feature_mixup = 0.4, .feature_noise = 0.2 } };
    for (size_t i = 0; i < THAW_COUNT(options); i++) {
        run cached = { .mixing = options[i], .cache_bytes = 1 << 20 };
        cr_assert(alike((run){ .mixing = options[i] }, cached), "options %zu", i);
        cr_assert_not(alike(cached, (run){ 0 }), "options %zu change nothing", i);
        train(&cached);
        cr_assert(cached.last.cached, "options %zu", i);
        free(cached.weights);
    }
}

Test(mixing, of_samples_caches_only_test_data)
{
    run now = { .mixing = { .mixup = 0.2, .cutmix = 1 }, .cache_bytes = 1 << 20 };
    train(&now);
    cr_assert(!now.last.cached && now.last.test_cached);
    cr_assert(alike(now, (run){ .mixing = now.mixing }));
    cr_assert_not(alike(now, (run){ 0 }));
    free(now.weights);
}

/* The order of sums in gradients depends on the number of threads, but what is drawn and mixed does not. */
Test(mixing, needs_no_frozen_layer)
{
    const run all = { .mixing = { .feature_mixup = 0.4 }, .trainable = 0x1F };
    cr_assert(alike(all, (run){ .mixing = { .mixup = 0.4 }, .trainable = 0x1F }), "samples are mixed instead");
}

typedef struct refusal {
    thaw_mixing_options mixing;
    const char *message;
} refusal;

Test(mixing, refuses_what_it_cannot_mix)
{
    static const refusal refusals[] = {
        { { .mixup = -1 }, "mixup is -1, must be finite and not negative" },
        { { .cutmix = INFINITY }, "cutmix is inf, must be finite" },
        { { .feature_noise = NAN }, "feature_noise is nan, must be finite" },
        { { .feature_mixup = 1, .mixup = 1 }, "feature_mixup is given beside mixup or cutmix" },
    };
    thaw_context *context = support_context(1);
    thaw_model *model = support_network(context, false);
    thaw_dataset *data = support_samples(context, 8, 5);
    support_optimize(model, "sgd:lr=0.01");
    for (size_t i = 0; i < THAW_COUNT(refusals); i++) {
        const thaw_fit_options options = { .batch = 4, .mixing = refusals[i].mixing };
        assert_fails(context, thaw_fit(model, data, &options, NULL), THAW_INVALID_ARGUMENT, refusals[i].message);
    }
    thaw_dataset_destroy(data);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
