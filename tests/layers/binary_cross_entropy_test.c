#include <math.h>
#include <stdio.h>
#include <string.h>

#include "support/allocator.h"
#include "support/golden.h"
#include "support/layer.h"

enum { BATCH = 7, FEATURES = 1301, COUNT = BATCH * FEATURES };

static layer open_loss(thaw_context *context, thaw_model **model, int64_t features,
                       const thaw_binary_cross_entropy_options *options, const layer_wish *wish)
{
    thaw_node node = 0;
    *model = layer_model(context, 1, &features);
    assert_ok(context, thaw_binary_cross_entropy(*model, node, options, &node));
    return layer_open(*model, wish);
}

static void fill_targets(float *targets, size_t count)
{
    support_fill(targets, count, 9);
    for (size_t i = 0; i < count; i++)
        targets[i] = (targets[i] + 1) / 2;
}

/* By the definition: -(w t log p + (1 - t) log(1 - p)). */
static void check(thaw_reduction reduction, double divisor, bool weighted)
{
    static float targets[COUNT], expected[COUNT], weights[FEATURES];
    fill_targets(targets, COUNT);
    support_fill(weights, FEATURES, 4);
    for (size_t i = 0; i < FEATURES; i++)
        weights[i] = (weights[i] + 1) * 2;
    thaw_context *context = support_context(2);
    thaw_model *model;
    layer l = open_loss(context, &model, FEATURES,
                        &(thaw_binary_cross_entropy_options){ .reduction = reduction,
                                                              .positive_weights = weighted ? weights : NULL },
                        &(layer_wish){ .batch = BATCH, .training = true, .input_gradients = true, .target = targets });
    double sum = 0;
    for (size_t i = 0; i < COUNT; i++) {
        l.inputs[0][i] *= 6;
        const double w = weighted ? (double)weights[i % FEATURES] : 1, t = (double)targets[i];
        const double p = 1 / (1 + exp(-(double)l.inputs[0][i]));
        sum -= w * t * log(p) + (1 - t) * log(1 - p);
        expected[i] = (float)(((1 - t) * p - w * t * (1 - p)) / divisor);
    }
    memset(weights, 0, sizeof weights); /* they were copied */
    const float loss = (float)(sum / divisor);
    layer_forward(&l);
    layer_backward(&l);
    assert_close(l.output, &loss, 1, 1e-6, "loss");
    assert_close(l.input_gradients[0], expected, COUNT, 1e-7, "gradient");
    layer_close(&l, model);
    thaw_context_destroy(context);
}

Test(binary_cross_entropy, matches_the_definition)
{
    check(THAW_REDUCE_MEAN, COUNT, false);
    check(THAW_REDUCE_SUM, 1, false);
    check(THAW_REDUCE_MEAN, COUNT, true);
    check(THAW_REDUCE_SUM, 1, true);
}

Test(binary_cross_entropy, gradient_matches_finite_differences)
{
    float targets[3 * 5];
    const float weights[] = { 0.5F, 2, 0, 1, 3 }, step = 0x1p-6F;
    fill_targets(targets, 15);
    thaw_context *context = support_context(2);
    thaw_model *model;
    layer l =
        open_loss(context, &model, 5,
                  &(thaw_binary_cross_entropy_options){ .reduction = THAW_REDUCE_SUM, .positive_weights = weights },
                  &(layer_wish){ .batch = 3, .training = true, .input_gradients = true, .target = targets });
    layer_forward(&l);
    layer_backward(&l);
    for (size_t i = 0; i < 15; i++) {
        const float kept = l.inputs[0][i];
        l.inputs[0][i] = kept + step;
        layer_forward(&l);
        const double above = (double)*l.output;
        l.inputs[0][i] = kept - step;
        layer_forward(&l);
        const float slope = (float)((above - (double)*l.output) / 2 / (double)step);
        l.inputs[0][i] = kept;
        assert_close(&l.input_gradients[0][i], &slope, 1, 2e-4, "gradient");
    }
    layer_close(&l, model);
    thaw_context_destroy(context);
}

Test(binary_cross_entropy, equals_pytorch)
{
    const float weights[] = { 0.5F, 2, 0, 1, 3 };
    float targets[6 * 5], loss, gradient[6 * 5];
    fill_targets(targets, 30);
    FILE *file = golden_open("binary_cross_entropy.txt");
    thaw_context *context = support_context(2);
    for (int which = 0; which < 4; which++) {
        const bool sum = which >= 2, weighted = which % 2;
        char title[32];
        snprintf(title, sizeof title, "%s weighted %d", sum ? "sum" : "mean", weighted);
        const thaw_binary_cross_entropy_options options = { .reduction = sum ? THAW_REDUCE_SUM : THAW_REDUCE_MEAN,
                                                            .positive_weights = weighted ? weights : NULL };
        thaw_model *model;
        layer l = open_loss(context, &model, 5, &options,
                            &(layer_wish){ .batch = 6, .training = true, .input_gradients = true, .target = targets });
        for (size_t i = 0; i < 30; i++)
            l.inputs[0][i] *= 4;
        layer_forward(&l);
        layer_backward(&l);
        golden_case(file, title);
        golden_read(file, "loss", &loss, 1);
        golden_read(file, "gradient", gradient, 30);
        assert_close(l.output, &loss, 1, 1e-6, title);
        assert_close(l.input_gradients[0], gradient, 30, 1e-6, title);
        layer_close(&l, model);
    }
    fclose(file);
    thaw_context_destroy(context);
}

Test(binary_cross_entropy, is_finite_for_any_logits)
{
    const float logits[] = { 1e30F, -1e30F, 1e30F, -1e30F, 200, -200, 0 };
    const float targets[] = { 1, 0, 0, 1, 0, 1, 0.5F };
    const float slopes[] = { 0, 0, 1, -1, 1, -1, 0 };
    const double losses[] = { 0, 0, 1e30, 1e30, 200, 200, 0.69314718055994531 };
    thaw_context *context = support_context(1);
    for (size_t i = 0; i < THAW_COUNT(logits); i++) {
        thaw_model *model;
        layer l = open_loss(context, &model, 1, NULL,
                            &(layer_wish){ .training = true, .input_gradients = true, .target = &targets[i] });
        l.inputs[0][0] = logits[i];
        layer_forward(&l);
        layer_backward(&l);
        const float loss = (float)losses[i];
        assert_close(l.output, &loss, 1, 1e-6, "loss");
        assert_close(l.input_gradients[0], &slopes[i], 1, 1e-6, "gradient");
        layer_close(&l, model);
    }
    thaw_context_destroy(context);
}

Test(binary_cross_entropy, is_the_same_for_any_thread_count)
{
    static float targets[COUNT];
    float alone = 0;
    fill_targets(targets, COUNT);
    for (int threads = 1; threads < 5; threads++) {
        thaw_context *context = support_context(threads);
        thaw_model *model;
        layer l = open_loss(context, &model, FEATURES, NULL, &(layer_wish){ .batch = BATCH, .target = targets });
        layer_forward(&l);
        alone = threads == 1 ? *l.output : alone;
        cr_assert(*l.output == alone, "%d threads: %.9g, alone %.9g", threads, (double)*l.output, (double)alone);
        layer_close(&l, model);
        thaw_context_destroy(context);
    }
}

Test(binary_cross_entropy, refuses_odd_options)
{
    const float negative[] = { 1, -1 }, infinite[] = { INFINITY, 1 }, nothing[] = { 1, NAN };
    const thaw_binary_cross_entropy_options refused[] = {
        { .reduction = (thaw_reduction)5 },
        { .positive_weights = negative },
        { .positive_weights = infinite },
        { .positive_weights = nothing },
        { .reduction = (thaw_reduction)5, .positive_weights = (const float[]){ 1, 1 } },
    };
    static const char *const texts[] = { "reduction is 5", "column 1 is -1", "column 0 is inf", "column 1 is",
                                         "reduction is 5" };
    support_allocator allocator = { 0 };
    thaw_context *context = support_context_on(&allocator);
    thaw_model *model = layer_model(context, 1, (const int64_t[]){ 2 });
    const size_t live = allocator.live;
    for (size_t i = 0; i < THAW_COUNT(refused); i++) {
        thaw_node node;
        assert_fails(context, thaw_binary_cross_entropy(model, 0, &refused[i], &node), THAW_INVALID_ARGUMENT, texts[i]);
        cr_assert_eq(allocator.live, live, "nothing is left behind");
    }
    thaw_model_destroy(model);
    thaw_context_destroy(context);
    cr_assert_eq(allocator.live, 0);
}
