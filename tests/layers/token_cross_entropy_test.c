#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/golden.h"
#include "support/layer.h"

enum { SAMPLES = 3, TOKENS = 4, CLASSES = 5, COUNT = SAMPLES * TOKENS * CLASSES };

static const int32_t labels[] = { 3, 0, -100, 1, 1, 2, 4, 4, -100, 0, -100, -100 };
static const int32_t other_labels[] = { 3, 0, 2, 1, 1, 2, 4, 4, 2, 0, 2, 2 };
static const float class_weights[CLASSES] = { 0.5F, 2, 0.25F, 1, 3 };

static layer open_loss(thaw_context *context, thaw_model **model, const thaw_token_cross_entropy_options *options,
                       const int64_t dims[2], const layer_wish *wish)
{
    thaw_node node = 0;
    *model = layer_model(context, 2, dims);
    assert_ok(context, thaw_token_cross_entropy(*model, node, options, &node));
    return layer_open(*model, wish);
}

static void check_golden(FILE *file, const thaw_token_cross_entropy_options *options, bool train)
{
    thaw_context *context = support_context(2);
    float loss, gradient[COUNT];
    golden_read(file, "loss", &loss, 1);
    golden_read(file, "gradient", gradient, COUNT);
    thaw_model *model;
    const layer_wish wish = { .batch = SAMPLES,
                              .training = train,
                              .input_gradients = train,
                              .target = options->use_ignore_label ? other_labels : labels };
    layer l = open_loss(context, &model, options, (int64_t[]){ TOKENS, CLASSES }, &wish);
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
    FILE *file = golden_open("token_losses.txt");
    for (int i = 0; i < 24; i++) {
        const bool sum = i / 12, ignore = i / 2 % 2, weigh = i % 2;
        const thaw_token_cross_entropy_options options = {
            .reduction = sum ? THAW_REDUCE_SUM : THAW_REDUCE_MEAN,
            .label_smoothing = smoothing[i / 4 % 3],
            .use_ignore_label = ignore,
            .ignore_label = 4,
            .class_weights = weigh ? class_weights : NULL,
        };
        char settings[128];
        snprintf(settings, sizeof settings, "%s smoothing %g ignore %d weights %d", sum ? "sum" : "mean",
                 options.label_smoothing, ignore ? 4 : -100, weigh);
        golden_case(file, settings);
        check_golden(file, &options, train);
    }
    fclose(file);
}

Test(token_cross_entropy, equals_pytorch_for_all_options)
{
    check_all(true);
}

Test(token_cross_entropy, has_the_same_loss_in_inference)
{
    check_all(false);
}

/* ---- many classes ---- */

enum { MANY = 5003, LONG = 7, MANY_COUNT = 2 * LONG * MANY };

static const int32_t many_labels[2 * LONG] = { 0, 5002, -100, 17, 4096, 1023, 1024, -100, 2, 2, 2500, 7, 5000, 999 };

static const layer_wish many_wish = { .batch = 2, .training = true, .input_gradients = true, .target = many_labels };

/* Each token's largest logit is elsewhere, some of them late in the row. */
static void spread(layer *l)
{
    for (size_t i = 0; i < MANY_COUNT; i++)
        l->inputs[0][i] = 3 * l->inputs[0][i] + (i % 1301 == 0 ? 9 : 0);
}

/* From the definition, in double. Returns the loss. */
static double differentiate(const float *logits, float *gradient)
{
    double total = 0;
    for (size_t n = 0; n < 2 * LONG; n++) {
        double sum = 0;
        const float *row = logits + n * MANY;
        const bool counts = many_labels[n] >= 0;
        for (size_t j = 0; j < MANY; j++)
            sum += exp((double)row[j]);
        for (size_t j = 0; j < MANY; j++)
            gradient[n * MANY + j] =
                (float)(counts ? (exp((double)row[j]) / sum - ((int32_t)j == many_labels[n])) / 12 : 0);
        total += counts ? log(sum) - (double)row[many_labels[n]] : 0;
    }
    return total / 12;
}

Test(token_cross_entropy, of_many_classes_is_the_definition_s)
{
    float *expected = calloc(MANY_COUNT, sizeof *expected), *first = calloc(MANY_COUNT, sizeof *first);
    for (int threads = 1; threads <= 4; threads++) {
        thaw_context *context = support_context(threads);
        thaw_model *model;
        layer l = open_loss(context, &model, NULL, (int64_t[]){ LONG, MANY }, &many_wish);
        spread(&l);
        layer_forward(&l);
        layer_backward(&l);
        if (threads == 1) {
            const double loss = differentiate(l.inputs[0], expected);
            cr_assert_float_eq((double)*l.output, loss, 5e-7 * loss, "%.9g, not %.9g", (double)*l.output, loss);
            assert_close(l.input_gradients[0], expected, MANY_COUNT, 5e-8, "gradient");
            memcpy(first, l.input_gradients[0], MANY_COUNT * sizeof *first);
        }
        cr_assert_arr_eq(l.input_gradients[0], first, MANY_COUNT * sizeof *first, "%d threads", threads);
        layer_close(&l, model);
        thaw_context_destroy(context);
    }
    free(expected);
    free(first);
}

Test(token_cross_entropy, keeps_no_copy_of_the_logits)
{
    thaw_context *context = support_context(1);
    thaw_model *model;
    layer l = open_loss(context, &model, NULL, (int64_t[]){ LONG, MANY }, &many_wish);
    cr_assert_leq(l.needs.workspace_bytes + l.needs.scratch_bytes, 32 * 2 * LONG);
    cr_assert(!l.needs.mixes_samples && l.needs.keeps_inputs);
    layer_close(&l, model);
    thaw_context_destroy(context);
}

Test(token_cross_entropy, is_finite_for_huge_logits)
{
    static const int32_t both[] = { 0, 1 };
    thaw_context *context = support_context(1);
    thaw_model *model;
    const layer_wish wish = { .training = true, .input_gradients = true, .target = both };
    layer l = open_loss(context, &model, NULL, (int64_t[]){ 2, 2 }, &wish);
    memcpy(l.inputs[0], (const float[]){ 1e30F, -1e30F, 1e30F, -1e30F }, 4 * sizeof(float));
    layer_forward(&l);
    layer_backward(&l);
    cr_assert_float_eq((double)*l.output, 1e30, 1e24, "%g", (double)*l.output);
    assert_close(l.input_gradients[0], (const float[]){ 0, 0, 0.5F, -0.5F }, 4, 1e-7, "gradient");
    layer_close(&l, model);
    thaw_context_destroy(context);
}

/* As after a layer that masks classes. */
Test(token_cross_entropy, takes_classes_of_probability_zero)
{
    static const int32_t one[] = { 1 };
    thaw_context *context = support_context(1);
    thaw_model *model;
    const layer_wish wish = { .training = true, .input_gradients = true, .target = one };
    layer l = open_loss(context, &model, NULL, (int64_t[]){ 1, 3 }, &wish);
    memcpy(l.inputs[0], (const float[]){ -INFINITY, 2, 2 }, 3 * sizeof(float));
    layer_forward(&l);
    layer_backward(&l);
    cr_assert_float_eq((double)*l.output, log(2), 1e-6, "%g", (double)*l.output);
    assert_close(l.input_gradients[0], (const float[]){ 0, -0.5F, 0.5F }, 3, 1e-7, "gradient");
    layer_close(&l, model);
    thaw_context_destroy(context);
}

/* ---- refusals ---- */

static void refuse(const thaw_token_cross_entropy_options *options, int rank, thaw_status status, const char *text)
{
    thaw_context *context = support_context(1);
    thaw_model *model = layer_model(context, rank, (int64_t[]){ 2, CLASSES, 3 });
    thaw_node node;
    assert_fails(context, thaw_token_cross_entropy(model, 0, options, &node), status, text);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(token_cross_entropy, refuses_what_it_cannot_compute)
{
    const float negative[CLASSES] = { 1, -1, 1, 1, 1 };
    refuse(NULL, 1, THAW_SHAPE_MISMATCH, "the logits have shape [2], must be [tokens, classes]");
    refuse(NULL, 3, THAW_SHAPE_MISMATCH, "the logits have shape [2, 5, 3], must be [tokens, classes]");
    refuse(&(thaw_token_cross_entropy_options){ .label_smoothing = 2 }, 2, THAW_INVALID_ARGUMENT,
           "label_smoothing is 2, must be from 0 to 1");
    refuse(&(thaw_token_cross_entropy_options){ .reduction = (thaw_reduction)4 }, 2, THAW_INVALID_ARGUMENT,
           "reduction is 4");
    refuse(&(thaw_token_cross_entropy_options){ .class_weights = negative }, 2, THAW_INVALID_ARGUMENT, "class 1 is -1");
}
