/* Values that are computed again in backward are the ones that would have been kept: training gives the same bits,
   running statistics too, in less memory. */
#include <stdlib.h>
#include <string.h>

#include "support/network.h"

enum { SIDE = 24, CHANNELS = 3, SAMPLE = SIDE * SIDE * CHANNELS, BATCH = 6, STEPS = 4, CLASSES = 5 };

static thaw_node convolution(thaw_model *model, thaw_node input, const char *name, int64_t filters)
{
    thaw_node node = -1;
    const thaw_conv2d_options options = { .name = name, .filters = filters, .kernel = { 3, 3 }, .same = true };
    assert_ok(thaw_model_context(model), thaw_conv2d(model, input, &options, &node));
    return node;
}

/* A normalisation and an activation in its place before a pool; the same between convolutions; an activation that keeps
   its own input; a residual sum, whose value cannot be had from one input alone; with dropout at times. */
static thaw_model *build(thaw_context *context, bool dropout)
{
    thaw_model *model;
    thaw_node x, y, before;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ 3, { SIDE, SIDE, CHANNELS } }, &x));
    x = convolution(model, x, "conv1", 8);
    assert_ok(context, thaw_batch_norm(model, x, &(thaw_batch_norm_options){ .name = "bn1" }, &x));
    assert_ok(context, thaw_relu(model, x, NULL, &x));
    assert_ok(context, thaw_max_pool2d(model, x, &(thaw_pool2d_options){ .kernel = { 2, 2 } }, &before));
    x = convolution(model, before, "conv2", 8);
    assert_ok(context, thaw_batch_norm(model, x, &(thaw_batch_norm_options){ .name = "bn2" }, &x));
    assert_ok(context, thaw_relu6(model, x, NULL, &x));
    if (dropout)
        assert_ok(context, thaw_dropout(model, x, &(thaw_dropout_options){ .rate = 0.2 }, &x));
    x = convolution(model, x, "conv3", 8);
    assert_ok(context, thaw_batch_norm(model, x, &(thaw_batch_norm_options){ .name = "bn3" }, &x));
    assert_ok(context, thaw_add(model, x, before, NULL, &x));
    assert_ok(context, thaw_relu(model, x, NULL, &x));
    y = convolution(model, x, "conv4", 4);
    assert_ok(context, thaw_gelu(model, y, NULL, &y));
    y = convolution(model, y, "conv5", 4);
    assert_ok(context, thaw_batch_norm(model, y, &(thaw_batch_norm_options){ .name = "bn5" }, &y));
    assert_ok(context, thaw_tanh(model, y, NULL, &y));
    assert_ok(context, thaw_flatten(model, y, NULL, &y));
    assert_ok(context, thaw_dense(model, y, &(thaw_dense_options){ .name = "head", .units = CLASSES }, &y));
    assert_ok(context, thaw_softmax_cross_entropy(model, y, NULL, &y));
    support_optimize(model, "sgd:lr=0.05,momentum=0.9");
    return model;
}

static thaw_node dense(thaw_model *model, thaw_node input, const char *name, int64_t units)
{
    thaw_node node = -1;
    assert_ok(thaw_model_context(model),
              thaw_dense(model, input, &(thaw_dense_options){ .name = name, .units = units }, &node));
    return node;
}

/* Normalised rows before dense layers, and an activation between two, as in a transformer's block. */
static thaw_model *build_rows(thaw_context *context, bool dropout)
{
    thaw_model *model;
    thaw_node x, y;
    (void)dropout;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ 3, { SIDE, SIDE, CHANNELS } }, &x));
    x = dense(model, x, "patches", 8);
    assert_ok(context, thaw_layer_norm(model, x, &(thaw_layer_norm_options){ .name = "norm1" }, &y));
    y = dense(model, y, "wide", 16);
    assert_ok(context, thaw_gelu(model, y, NULL, &y));
    y = dense(model, y, "narrow", 8);
    assert_ok(context, thaw_add(model, y, x, NULL, &x));
    assert_ok(context, thaw_rms_norm(model, x, &(thaw_rms_norm_options){ .name = "norm2" }, &y));
    y = dense(model, y, "last", 4);
    assert_ok(context, thaw_flatten(model, y, NULL, &y));
    y = dense(model, y, "head", CLASSES);
    assert_ok(context, thaw_softmax_cross_entropy(model, y, NULL, &y));
    support_optimize(model, "sgd:lr=0.05,momentum=0.9");
    return model;
}

typedef thaw_model *builder(thaw_context *context, bool dropout);

typedef struct outcome {
    float *weights;
    size_t count;
    double loss;
    thaw_plan_totals totals;
} outcome;

static outcome train(builder *build_network, const char *frozen, bool dropout, bool recompute)
{
    static float images[BATCH * SAMPLE];
    int32_t labels[BATCH];
    outcome result = { 0 };
    thaw_context *context = support_context(2);
    thaw_model *model = build_network(context, dropout);
    if (frozen)
        assert_ok(context, thaw_model_freeze(model, frozen));
    thaw_model_set_recompute(model, recompute);
    const thaw_tensor inputs = thaw_view_f32(images, 4, (int64_t[]){ BATCH, SIDE, SIDE, CHANNELS });
    const thaw_tensor targets = thaw_view_i32(labels, 1, (int64_t[]){ BATCH });
    for (uint32_t step = 0; step < STEPS; step++) {
        thaw_step_result taken;
        support_fill(images, BATCH * SAMPLE, step);
        for (size_t i = 0; i < BATCH; i++)
            labels[i] = (int32_t)((i + step) % CLASSES);
        assert_ok(context, thaw_step(model, &inputs, &targets, NULL, &taken));
        result.loss = taken.loss;
    }
    const thaw_plan *plan;
    assert_ok(context, thaw_model_plan(model, &(thaw_plan_options){ .batch = BATCH }, &plan));
    result.totals = thaw_plan_totals_of(plan);
    result.weights = support_weights(model, &result.count);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
    return result;
}

/* `values`: floats of a sample that are not kept. */
static void check_same_bits(builder *build_network, const char *frozen, bool dropout, size_t values)
{
    outcome kept = train(build_network, frozen, dropout, false), again = train(build_network, frozen, dropout, true);
    const char *what = frozen ? frozen : "nothing";
    cr_assert_eq(kept.totals.recomputed_bytes, 0);
    cr_assert_eq(again.totals.recomputed_bytes, BATCH * values * sizeof(float), "%s frozen: %zu bytes", what,
                 again.totals.recomputed_bytes);
    cr_assert_eq(kept.loss, again.loss, "%s frozen: loss %.9g, recomputed %.9g", what, kept.loss, again.loss);
    cr_assert(memcmp(kept.weights, again.weights, kept.count * sizeof(float)) == 0, "%s frozen: weights differ", what);
    /* Where much is frozen, a time at which the values are wanted anyway may take as much; where dropout leaves little
       to compute again, the scratch memory of some levels' kernels may decide. */
    const size_t most = kept.totals.activation_bytes - (frozen || dropout ? 0 : 1);
    cr_assert_leq(again.totals.activation_bytes, most, "%s frozen: %zu bytes, with all kept %zu", what,
                  again.totals.activation_bytes, kept.totals.activation_bytes);
    cr_assert_lt(kept.totals.activation_bytes, kept.totals.separate_bytes);
    free(kept.weights);
    free(again.weights);
}

enum { ROWS = SIDE * SIDE, HALF = SIDE / 2 * SIDE / 2 * 8, NARROW = HALF / 2 };

Test(recompute, gives_the_bits_of_keeping_everything)
{
    check_same_bits(build, NULL, false, HALF + 2 * NARROW);
    check_same_bits(build, "conv3|conv5", false,
                    NARROW); /* they want no input, and a normalisation with ReLU6 no output */
}

Test(recompute, normalises_rows_again)
{
    check_same_bits(build_rows, NULL, false, ROWS * (8 + 16 + 8));
    check_same_bits(build_rows, "last", false, ROWS * (8 + 16)); /* which wants no input */
}

/* Dropout hands on a value of its own, which is not repeated; what it reads is not kept. */
Test(recompute, goes_together_with_dropout)
{
    check_same_bits(build, NULL, true, 2 * NARROW);
}

/* Frozen normalisations are a part of other kernels, or need nothing kept. */
Test(recompute, concerns_the_live_part_alone)
{
    check_same_bits(build, "conv1|bn1", false, HALF + 2 * NARROW);
    outcome head = train(build, "conv*|bn*", false, true);
    cr_assert_eq(head.totals.recomputed_bytes, 0);
    free(head.weights);
}
