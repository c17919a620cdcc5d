#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/golden.h"
#include "support/layer.h"

enum { BATCH = 6, CLASSES = 5, COUNT = BATCH * CLASSES };

static const int32_t labels[BATCH] = { 3, 0, 4, 1, 1, 2 };
static const float class_weights[CLASSES] = { 0.5F, 2, 0.25F, 1, 3 };

static layer open_loss(thaw_context *context, thaw_model **model, const thaw_softmax_cross_entropy_options *options,
                       int64_t classes, const layer_wish *wish)
{
    thaw_node node = 0;
    *model = layer_model(context, 1, &classes);
    assert_ok(context, thaw_softmax_cross_entropy(*model, node, options, &node));
    return layer_open(*model, wish);
}

static const layer_wish training = { .batch = BATCH, .training = true, .input_gradients = true, .target = labels };

static void check_golden(FILE *file, const thaw_softmax_cross_entropy_options *options, bool train)
{
    thaw_context *context = support_context(2);
    float loss, gradient[COUNT];
    golden_read(file, "loss", &loss, 1);
    golden_read(file, "gradient", gradient, COUNT);
    thaw_model *model;
    layer l = open_loss(context, &model, options, CLASSES,
                        train ? &training : &(layer_wish){ .batch = BATCH, .target = labels });
    for (size_t i = 0; i < COUNT; i++)
        l.inputs[0][i] *= 4;
    layer_forward(&l);
    assert_close(l.output, &loss, 1, 1e-6, "loss");
    if (train) {
        layer_backward(&l);
        assert_close(l.input_gradients[0], gradient, COUNT, 1e-6, "gradient");
    }
    layer_close(&l, model);
    thaw_context_destroy(context);
}

static void check_all(bool train)
{
    const double smoothing[] = { 0, 0.1, 1 };
    FILE *file = golden_open("losses.txt");
    for (int i = 0; i < 24; i++) {
        const bool sum = i / 12, ignore = i / 2 % 2, weigh = i % 2;
        const thaw_softmax_cross_entropy_options options = {
            .reduction = sum ? THAW_REDUCE_SUM : THAW_REDUCE_MEAN,
            .label_smoothing = smoothing[i / 4 % 3],
            .use_ignore_label = ignore,
            .ignore_label = 1,
            .class_weights = weigh ? class_weights : NULL,
        };
        char settings[128];
        snprintf(settings, sizeof settings, "%s smoothing %g ignore %d weights %d", sum ? "sum" : "mean",
                 options.label_smoothing, ignore, weigh);
        golden_case(file, settings);
        check_golden(file, &options, train);
    }
    fclose(file);
}

Test(softmax_cross_entropy, equals_pytorch_for_all_options)
{
    check_all(true);
}

Test(softmax_cross_entropy, has_the_same_loss_in_inference)
{
    check_all(false);
}

/* A gradient from the definition itself: central differences of the loss in double arithmetic. */
static double reference_loss(const double *logits)
{
    double total = 0;
    for (size_t n = 0; n < BATCH; n++) {
        double sum = 0;
        for (size_t j = 0; j < CLASSES; j++)
            sum += exp(logits[n * CLASSES + j]);
        total += log(sum) - logits[n * CLASSES + (size_t)labels[n]];
    }
    return total / BATCH;
}

Test(softmax_cross_entropy, gradient_matches_differences)
{
    const double step = 1e-5;
    thaw_context *context = support_context(1);
    thaw_model *model;
    layer l = open_loss(context, &model, NULL, CLASSES, &training);
    layer_forward(&l);
    layer_backward(&l);
    double logits[COUNT];
    for (size_t i = 0; i < COUNT; i++)
        logits[i] = (double)l.inputs[0][i];
    for (size_t i = 0; i < COUNT; i++) {
        const double middle = logits[i];
        logits[i] = middle + step;
        const double above = reference_loss(logits);
        logits[i] = middle - step;
        const double below = reference_loss(logits);
        logits[i] = middle;
        const float expected = (float)((above - below) / (2 * step));
        assert_close(&l.input_gradients[0][i], &expected, 1, 1e-7, "gradient");
    }
    layer_close(&l, model);
    thaw_context_destroy(context);
}

Test(softmax_cross_entropy, is_finite_for_huge_logits)
{
    const int32_t labels_of_two[] = { 0, 1 };
    thaw_context *context = support_context(1);
    thaw_model *model;
    layer l =
        open_loss(context, &model, &(thaw_softmax_cross_entropy_options){ .label_smoothing = 0.1 }, 3,
                  &(layer_wish){ .batch = 2, .training = true, .input_gradients = true, .target = labels_of_two });
    memcpy(l.inputs[0], (const float[]){ 1e30F, -1e30F, 0, 1e30F, -1e30F, 1e30F }, 6 * sizeof(float));
    layer_forward(&l);
    layer_backward(&l);
    cr_assert(isfinite(*l.output), "loss %g", (double)*l.output);
    for (size_t i = 0; i < 6; i++)
        cr_assert(isfinite(l.input_gradients[0][i]));
    /* Of the first sample, probabilities are 1, 0, 0 and targets 0.9 + 0.1 / 3, 0.1 / 3, 0.1 / 3; half for the mean. */
    const float expected[] = { (float)(0.1 / 3), (float)(-0.05 / 3), (float)(-0.05 / 3) };
    assert_close(l.input_gradients[0], expected, 3, 1e-7, "gradient");
    layer_close(&l, model);
    thaw_context_destroy(context);
}

Test(softmax_cross_entropy, is_zero_when_all_labels_are_ignored)
{
    const int32_t ignored[BATCH] = { -1, -1, -1, -1, -1, -1 };
    const float zeros[COUNT] = { 0 };
    thaw_context *context = support_context(1);
    thaw_model *model;
    layer_wish wish = training;
    wish.target = ignored;
    layer l = open_loss(context, &model,
                        &(thaw_softmax_cross_entropy_options){ .use_ignore_label = true, .ignore_label = -1 }, CLASSES,
                        &wish);
    layer_forward(&l);
    layer_backward(&l);
    cr_assert(*l.output == 0);
    assert_close(l.input_gradients[0], zeros, COUNT, 0, "gradient");
    layer_close(&l, model);
    thaw_context_destroy(context);
}

Test(softmax_cross_entropy, is_zero_when_all_labels_weigh_nothing)
{
    const float weights[CLASSES] = { [1] = 1 }, zeros[COUNT] = { 0 };
    const int32_t weightless[BATCH] = { 0, 2, 0, 2, 0, 2 };
    thaw_context *context = support_context(1);
    thaw_model *model;
    layer_wish wish = training;
    wish.target = weightless;
    layer l =
        open_loss(context, &model, &(thaw_softmax_cross_entropy_options){ .class_weights = weights }, CLASSES, &wish);
    layer_forward(&l);
    layer_backward(&l);
    cr_assert(*l.output == 0);
    assert_close(l.input_gradients[0], zeros, COUNT, 0, "gradient");
    layer_close(&l, model);
    thaw_context_destroy(context);
}

static void run_large(int threads, float *loss, float *gradient)
{
    enum { SAMPLES = 501, LARGE = 37 };
    int32_t targets[SAMPLES];
    for (int32_t n = 0; n < SAMPLES; n++)
        targets[n] = n * 7 % LARGE;
    thaw_context *context = support_context(threads);
    thaw_model *model;
    layer l =
        open_loss(context, &model, NULL, LARGE,
                  &(layer_wish){ .batch = SAMPLES, .training = true, .input_gradients = true, .target = targets });
    layer_forward(&l);
    layer_backward(&l);
    *loss = *l.output;
    memcpy(gradient, l.input_gradients[0], sizeof(float) * SAMPLES * LARGE);
    layer_close(&l, model);
    thaw_context_destroy(context);
}

Test(softmax_cross_entropy, is_the_same_for_any_thread_count)
{
    const size_t count = 501 * 37;
    float one, other, *first = malloc(count * sizeof *first), *second = malloc(count * sizeof *second);
    run_large(1, &one, first);
    for (int threads = 2; threads < 5; threads++) {
        run_large(threads, &other, second);
        cr_assert(one == other, "%d threads: %.9g, alone %.9g", threads, (double)other, (double)one);
        cr_assert_eq(memcmp(first, second, count * sizeof *first), 0);
    }
    free(first);
    free(second);
}

Test(softmax_cross_entropy, owns_its_class_weights)
{
    float *weights = malloc(sizeof class_weights), loss;
    memcpy(weights, class_weights, sizeof class_weights);
    thaw_context *context = support_context(1);
    thaw_model *model = layer_model(context, 1, (const int64_t[]){ CLASSES });
    thaw_node node = 0;
    assert_ok(context,
              thaw_softmax_cross_entropy(model, node, &(thaw_softmax_cross_entropy_options){ .class_weights = weights },
                                         &node));
    memset(weights, 0, sizeof class_weights);
    free(weights);
    layer l = layer_open(model, &training);
    layer_forward(&l);
    loss = *l.output;
    layer_close(&l, model);
    l = open_loss(context, &model, &(thaw_softmax_cross_entropy_options){ .class_weights = class_weights }, CLASSES,
                  &training);
    layer_forward(&l);
    cr_assert(loss == *l.output);
    layer_close(&l, model);
    thaw_context_destroy(context);
}
