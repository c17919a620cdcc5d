/* Training in bfloat16 follows training in floats; what the feature cache keeps, and what is computed twice, is the
   same bit by bit. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/network.h"

static const thaw_precision floats = { 0 };
static const thaw_precision bf16 = { .all = THAW_BF16, .emulated = true };
static const thaw_precision bf16_prefix = { .frozen = THAW_BF16, .emulated = true };

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

static outcome train(const thaw_precision *precision, unsigned trainable, size_t cache_bytes, int epochs)
{
    outcome result = { 0 };
    thaw_context *context = support_context(2);
    thaw_model *model = support_network(context, true);
    thaw_dataset *data = support_samples(context, 45, 5); /* the last batch is smaller */
    support_optimize(model, "adam:lr=0.01");
    support_train_only(model, trainable);
    assert_ok(context, thaw_model_set_precision(model, precision));
    const thaw_fit_options options = {
        .epochs = epochs,
        .batch = 16,
        .cache_bytes = cache_bytes,
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

Test(precision, losses_stay_within_two_percent_of_those_of_floats)
{
    skip_without_bfloat16();
    for (unsigned trainable = 0x1F; trainable >= 0x1C; trainable -= 3) {
        outcome wide = train(&floats, trainable, 0, 8), rounded = train(&bf16, trainable, 0, 8);
        cr_assert(fabs(rounded.epoch_result.loss / wide.epoch_result.loss - 1) < 0.02, "%.6f, floats %.6f",
                  rounded.epoch_result.loss, wide.epoch_result.loss);
        free(wide.weights);
        free(rounded.weights);
    }
}

static void check_same_bits(const thaw_precision *precision, unsigned trainable, size_t cache_bytes, size_t cached)
{
    outcome one = train(precision, trainable, 0, 4), other = train(precision, trainable, cache_bytes, 4);
    cr_assert_eq(other.cached_epochs, cached);
    cr_assert(memcmp(one.weights, other.weights, one.count * sizeof(float)) == 0, "weights differ");
    cr_assert_eq(one.epoch_result.loss, other.epoch_result.loss);
    free(one.weights);
    free(other.weights);
}

Test(precision, gives_the_same_bits_again)
{
    skip_without_bfloat16();
    check_same_bits(&bf16, 0x1F, 0, 0);
    check_same_bits(&bf16_prefix, 0x1C, 0, 0);
}

Test(precision, gives_the_same_bits_from_the_feature_cache)
{
    skip_without_bfloat16();
    const unsigned frozen_below[] = { 0x1E, 0x1C, 0x10, 0x12 };
    for (size_t i = 0; i < THAW_COUNT(frozen_below); i++) {
        check_same_bits(&bf16_prefix, frozen_below[i], 1 << 24, 3);
        check_same_bits(&bf16, frozen_below[i], 1 << 24, 3);
    }
}

/* Gradients of one step, of all parameters; they differ by the rounding of a dozen layers' values. */
static void check_gradients(const thaw_precision *precision, unsigned trainable, double tolerance)
{
    thaw_context *context = support_context(2);
    thaw_model *models[2];
    for (int i = 0; i < 2; i++) {
        models[i] = support_network(context, false);
        support_optimize(models[i], "sgd:lr=0.1");
        support_train_only(models[i], trainable);
        assert_ok(context, thaw_model_set_precision(models[i], i ? precision : NULL));
        assert_ok(context, support_step(models[i], 32, 3, &(thaw_step_options){ .gradients_only = true }, NULL));
    }
    for (size_t p = 0; p < thaw_model_parameter_count(models[0]); p++) {
        const thaw_parameter *parameter = thaw_model_parameter(models[0], p);
        const float *wide = thaw_parameter_gradient(parameter);
        const float *rounded = thaw_parameter_gradient(thaw_model_parameter(models[1], p));
        double difference = 0, norm = 0;
        cr_assert_eq(!wide, !rounded);
        for (size_t i = 0; wide && i < thaw_shape_count(thaw_parameter_shape(parameter)); i++) {
            difference += pow((double)rounded[i] - (double)wide[i], 2);
            norm += pow((double)wide[i], 2);
        }
        cr_assert_leq(difference, tolerance * tolerance * norm, "%s: by %.4f", thaw_parameter_name(parameter),
                      sqrt(difference / norm));
        cr_assert(!wide || precision->all == THAW_F32 || difference > 0, "nothing was rounded");
    }
    thaw_model_destroy(models[0]);
    thaw_model_destroy(models[1]);
    thaw_context_destroy(context);
}

Test(precision, gradients_are_close_to_those_of_floats)
{
    skip_without_bfloat16();
    check_gradients(&bf16, 0x1F, 0.1);
    check_gradients(&bf16, 0x15, 0.1);
    check_gradients(&bf16_prefix, 0x1C, 0.1);
    check_gradients(&bf16_prefix, 0x1F, 0);
}

static void predict(thaw_model *model, const thaw_precision *precision, float *outputs)
{
    enum { COUNT = 21 };
    float values[COUNT * NETWORK_SAMPLE];
    thaw_context *context = thaw_model_context(model);
    support_fill(values, COUNT * NETWORK_SAMPLE, 9);
    const thaw_tensor inputs = thaw_view_f32(values, 4, (const int64_t[]){ COUNT, 9, 7, 2 });
    const thaw_tensor into = thaw_view_f32(outputs, 2, (const int64_t[]){ COUNT, NETWORK_CLASSES });
    assert_ok(context, thaw_model_set_precision(model, precision));
    assert_ok(context, thaw_predict(model, &inputs, &into));
}

Test(precision, changes_what_is_predicted_at_once_and_back)
{
    skip_without_bfloat16();
    enum { OUTPUTS = 21 * NETWORK_CLASSES };
    float wide[OUTPUTS], rounded[OUTPUTS], prefix[OUTPUTS], again[OUTPUTS];
    thaw_context *context = support_context(2);
    thaw_model *model = support_network(context, false);
    support_train_only(model, 0x10);
    predict(model, &floats, wide);
    predict(model, &bf16, rounded);
    predict(model, &bf16_prefix, prefix);
    predict(model, &floats, again);
    assert_close(rounded, wide, OUTPUTS, 0.02, "output");
    assert_close(prefix, wide, OUTPUTS, 0.02, "output");
    cr_assert(memcmp(rounded, wide, sizeof wide) != 0);
    cr_assert(memcmp(prefix, wide, sizeof wide) != 0 && memcmp(prefix, rounded, sizeof wide) != 0);
    cr_assert(memcmp(again, wide, sizeof wide) == 0);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

typedef struct switching {
    thaw_model *model;
    size_t cached_epochs;
} switching;

static bool change_precision(void *user, const thaw_epoch_result *epoch_result)
{
    switching *s = user;
    s->cached_epochs += epoch_result->cached;
    if (epoch_result->epoch == 3)
        assert_ok(thaw_model_context(s->model), thaw_model_set_precision(s->model, &bf16_prefix));
    return true;
}

/* Epochs 2 and 3 are cached in floats, epoch 4 computes anew, 5 and 6 are cached in bfloat16. */
Test(precision, drops_the_feature_cache_when_it_changes)
{
    skip_without_bfloat16();
    thaw_context *context = support_context(2);
    switching s = { .model = support_network(context, false) };
    thaw_dataset *data = support_samples(context, 45, 5);
    support_optimize(s.model, "adam:lr=0.01");
    support_train_only(s.model, 0x1C);
    const thaw_fit_options options = {
        .epochs = 6, .batch = 16, .cache_bytes = 1 << 24, .on_epoch = change_precision, .user = &s
    };
    assert_ok(context, thaw_fit(s.model, data, &options, NULL));
    cr_assert_eq(s.cached_epochs, 4, "%zu epochs were cached", s.cached_epochs);
    thaw_dataset_destroy(data);
    thaw_model_destroy(s.model);
    thaw_context_destroy(context);
}

static void refuse(const char *limit, const thaw_precision *precision, const char *text)
{
    setenv("ONEDNN_MAX_CPU_ISA", limit, 1); /* oneDNN reads it once: each test is a process */
    thaw_context *context = support_context(1);
    thaw_model *model = support_network(context, false);
    assert_fails(context, thaw_model_set_precision(model, precision), THAW_UNSUPPORTED, text);
    cr_assert_eq((int)thaw_model_precision(model).all, THAW_F32);
    cr_assert_eq((int)thaw_model_precision(model).frozen, THAW_F32);
    assert_ok(context, thaw_model_set_precision(model, &(thaw_precision){ .emulated = true }));
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(precision, is_refused_where_the_cpu_only_emulates_it)
{
    if (!__builtin_cpu_supports("avx512bw"))
        cr_skip_test("no AVX-512");
    refuse("AVX512_CORE", &(thaw_precision){ .all = THAW_BF16 }, "AVX512_BF16");
}

Test(precision, of_the_prefix_is_refused_where_the_cpu_only_emulates_it)
{
    if (!__builtin_cpu_supports("avx512bw"))
        cr_skip_test("no AVX-512");
    refuse("AVX512_CORE", &(thaw_precision){ .frozen = THAW_BF16 }, "must be requested");
}

Test(precision, is_emulated_on_wish)
{
    if (!__builtin_cpu_supports("avx512bw"))
        cr_skip_test("no AVX-512");
    setenv("ONEDNN_MAX_CPU_ISA", "AVX512_CORE", 1);
    outcome wide = train(&floats, 0x1F, 0, 3), rounded = train(&bf16, 0x1F, 0, 3);
    cr_assert(fabs(rounded.epoch_result.loss / wide.epoch_result.loss - 1) < 0.02);
    free(wide.weights);
    free(rounded.weights);
}

Test(precision, is_refused_where_the_cpu_cannot_even_emulate_it)
{
    refuse("AVX2", &bf16, "AVX-512");
}

Test(precision, is_one_of_two)
{
    thaw_context *context = support_context(1);
    thaw_model *model = support_network(context, false);
    assert_fails(context, thaw_model_set_precision(model, &(thaw_precision){ .all = THAW_I32 }), THAW_INVALID_ARGUMENT,
                 "THAW_BF16");
    assert_fails(context, thaw_model_set_precision(model, &(thaw_precision){ .frozen = THAW_U8 }),
                 THAW_INVALID_ARGUMENT, "THAW_BF16");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
