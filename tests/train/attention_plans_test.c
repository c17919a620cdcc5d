/* Attention in plans that run a frozen prefix on tiles of the batch, start at the feature cache, or compute values
   again: it gives what it gives alone. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan/plan.h"
#include "plan/store.h"
#include "support/network.h"

enum { STEPS = 100, WIDTH = 64, SAMPLE = STEPS * WIDTH, SAMPLES = 25, MOST = 80, CLASSES = 3 };

/* Two blocks of attention with lengths: "low" and "high" begin the names of their layers. */
static thaw_node append_block(thaw_model *model, const char *name, thaw_node x, thaw_node lengths)
{
    thaw_context *context = thaw_model_context(model);
    char names[3][32];
    thaw_node y;
    snprintf(names[0], sizeof names[0], "%s.norm", name);
    snprintf(names[1], sizeof names[1], "%s.qkv", name);
    snprintf(names[2], sizeof names[2], "%s.out", name);
    const thaw_attention_options options = { .heads = 4, .lengths = &lengths, .causal = strcmp(name, "high") == 0 };
    assert_ok(context, thaw_layer_norm(model, x, &(thaw_layer_norm_options){ .name = names[0] }, &y));
    assert_ok(context, thaw_dense(model, y, &(thaw_dense_options){ .name = names[1], .units = 3 * WIDTH }, &y));
    assert_ok(context, thaw_attention(model, &y, 1, &options, &y));
    assert_ok(context, thaw_gelu(model, y, NULL, &y));
    assert_ok(context, thaw_dense(model, y, &(thaw_dense_options){ .name = names[2], .units = WIDTH }, &y));
    assert_ok(context, thaw_add(model, x, y, NULL, &y));
    return y;
}

static thaw_model *build(thaw_context *context, const char *frozen)
{
    thaw_model *model;
    thaw_node x, lengths;
    assert_ok(context, thaw_model_create(context, &model));
    const thaw_input_options rows = { .name = "rows", .shape = { 2, { STEPS, WIDTH } } };
    assert_ok(context, thaw_named_input(model, &rows, &x));
    assert_ok(context,
              thaw_named_input(model, &(thaw_input_options){ .name = "lengths", .dtype = THAW_I32 }, &lengths));
    x = append_block(model, "low", x, lengths);
    x = append_block(model, "high", x, lengths);
    const thaw_sequence_mean_options mean = { .lengths = &lengths };
    assert_ok(context, thaw_sequence_mean(model, x, &mean, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "last", .units = CLASSES }, &x));
    assert_ok(context, thaw_softmax_cross_entropy(model, x, NULL, &x));
    support_optimize(model, "sgd:lr=0.1");
    if (frozen)
        assert_ok(context, thaw_model_freeze(model, frozen));
    return model;
}

typedef struct batch {
    float rows[MOST * SAMPLE];
    int32_t lengths[MOST], labels[MOST];
} batch;

static batch data;

static void fill_data(void)
{
    support_fill(data.rows, MOST * SAMPLE, 1);
    for (int32_t i = 0; i < MOST; i++) {
        data.lengths[i] = i * 37 % STEPS + 1;
        data.labels[i] = i % CLASSES;
    }
}

/* The samples from `first` on. */
static void view_samples(int64_t first, int64_t count, thaw_tensor inputs[2], thaw_tensor *targets)
{
    inputs[0] = thaw_view_f32(data.rows + first * SAMPLE, 3, (int64_t[]){ count, STEPS, WIDTH });
    inputs[1] = thaw_view_i32(data.lengths + first, 1, &count);
    *targets = thaw_view_i32(data.labels + first, 1, &count);
}

static void predict(thaw_model *model, int64_t first, int64_t count, float *outputs)
{
    thaw_tensor inputs[2], targets;
    view_samples(first, count, inputs, &targets);
    const thaw_tensor into = thaw_view_f32(outputs, 2, (int64_t[]){ count, CLASSES });
    assert_ok(thaw_model_context(model), thaw_predict(model, inputs, &into));
}

Test(attention_plans, in_tiles_give_what_single_samples_give)
{
    fill_data();
    for (int threads = 1; threads <= 2; threads++) {
        thaw_context *context = support_context(threads);
        thaw_model *model = build(context, "low*|high*");
        thaw_plan *plan;
        float all[MOST * CLASSES], one[CLASSES];
        assert_ok(context, thaw_plan_find(model, MOST, false, &plan));
        cr_assert(plan->tiled_count > 0 && plan->tile < MOST, "%zu nodes, %d samples", plan->tiled_count,
                  (int)plan->tile);
        predict(model, 0, MOST, all);
        for (int64_t i = 0; i < MOST; i++) {
            predict(model, i, 1, one);
            assert_close(all + i * CLASSES, one, CLASSES, 1e-6, "outputs");
        }
        thaw_model_destroy(model);
        thaw_context_destroy(context);
    }
}

/* ---- the feature cache ---- */

typedef struct outcome {
    float *weights;
    size_t count;
    thaw_epoch_result last;
} outcome;

static outcome fit(const char *frozen, size_t cache_bytes)
{
    thaw_context *context = support_context(2);
    thaw_model *model = build(context, frozen);
    thaw_tensor inputs[2], targets;
    thaw_dataset *set;
    outcome got;
    view_samples(0, SAMPLES, inputs, &targets);
    assert_ok(context, thaw_dataset_from_fields(context, inputs, (const char *[]){ "rows", "lengths" }, 2, &targets,
                                                CLASSES, &set));
    const thaw_fit_options options = { .epochs = 3, .batch = 5, .cache_bytes = cache_bytes, .test = set };
    assert_ok(context, thaw_fit(model, set, &options, &got.last));
    got.weights = support_weights(model, &got.count);
    thaw_dataset_destroy(set);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
    return got;
}

/* The cut comes before the attention that trains, and lengths pass by it; or behind both. */
Test(attention_plans, train_the_same_from_the_feature_cache)
{
    static const char *const frozen[] = { "low*", "low*|high.norm", "low*|high*" };
    fill_data();
    for (size_t i = 0; i < THAW_COUNT(frozen); i++) {
        const outcome plain = fit(frozen[i], 0), cached = fit(frozen[i], 1 << 26);
        cr_assert(cached.last.cached && !plain.last.cached, "%s", frozen[i]);
        assert_close(cached.weights, plain.weights, plain.count, 1e-6, frozen[i]);
        cr_assert_float_eq(cached.last.test_loss, plain.last.test_loss, 1e-6);
        free(plain.weights);
        free(cached.weights);
    }
}

/* ---- recomputing ---- */

static float *train(const char *frozen, bool recompute, size_t *count, size_t *bytes)
{
    thaw_context *context = support_context(2);
    thaw_model *model = build(context, frozen);
    thaw_tensor inputs[2], targets;
    thaw_plan *plan;
    thaw_model_set_recompute(model, recompute);
    view_samples(0, SAMPLES, inputs, &targets);
    for (int i = 0; i < 3; i++)
        assert_ok(context, thaw_step(model, inputs, &targets, NULL, NULL));
    assert_ok(context, thaw_plan_find(model, SAMPLES, true, &plan));
    *bytes = plan->arena_bytes;
    float *weights = support_weights(model, count);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
    return weights;
}

/* The activation between attention and its projection is one of the values that are computed again. */
Test(attention_plans, train_to_the_same_bits_where_values_are_computed_again)
{
    static const char *const frozen[] = { NULL, "low*", "high.qkv" };
    fill_data();
    for (size_t i = 0; i < THAW_COUNT(frozen); i++) {
        size_t count, kept, again;
        float *plain = train(frozen[i], false, &count, &kept), *recomputed = train(frozen[i], true, &count, &again);
        cr_assert_arr_eq(plain, recomputed, count * sizeof *plain, "case %zu", i);
        cr_assert(again < kept || (frozen[i] && again == kept), "case %zu: %zu bytes, %zu", i, again, kept);
        free(plain);
        free(recomputed);
    }
}
