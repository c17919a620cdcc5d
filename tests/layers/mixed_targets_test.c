/* Softmax cross-entropy of mixed labels is that of soft targets, written out in double: sample i has the share `mixed` of
   the label of sample i - 1, and the first of the last. */
#include <math.h>

#include "support/layer.h"

enum { BATCH = 6, CLASSES = 5, COUNT = BATCH * CLASSES, IGNORED = 4 };

static const int32_t labels[BATCH] = { 3, 0, 4, 1, 1, 2 };
static const float class_weights[CLASSES] = { 0.5F, 2, 0.25F, 1, 3 };

/* The share of a class in the targets of a sample, smoothed and weighted. */
static double soft_target(const thaw_softmax_cross_entropy_options *options, double mixed, int sample, int class)
{
    const int32_t own = labels[sample], other = labels[(sample + BATCH - 1) % BATCH];
    const double weight = options->class_weights ? (double)options->class_weights[class] : 1;
    double target = 0;
    for (int i = 0; i < 2; i++) {
        const int32_t label = i ? other : own;
        if (options->use_ignore_label && label == options->ignore_label)
            continue;
        const double share = i ? mixed : 1 - mixed, smoothing = options->label_smoothing;
        target += share * ((label == class ? 1 - smoothing : 0) + smoothing / CLASSES);
    }
    return weight * target;
}

static double loss_of(const thaw_softmax_cross_entropy_options *options, double mixed, const double *logits)
{
    double total = 0, weights = 0;
    for (int n = 0; n < BATCH; n++) {
        double sum = 0;
        for (int j = 0; j < CLASSES; j++)
            sum += exp(logits[n * CLASSES + j]);
        for (int j = 0; j < CLASSES; j++)
            total += soft_target(options, mixed, n, j) * (log(sum) - logits[n * CLASSES + j]);
        if (!options->use_ignore_label || labels[n] != options->ignore_label)
            weights += options->class_weights ? (double)options->class_weights[labels[n]] : 1;
    }
    return options->reduction == THAW_REDUCE_SUM ? total : total / weights;
}

static void check(const thaw_softmax_cross_entropy_options *options, double mixed)
{
    thaw_context *context = support_context(2);
    const int64_t classes = CLASSES;
    thaw_model *model = layer_model(context, 1, &classes);
    thaw_node node = 0;
    double logits[COUNT];
    float gradient[COUNT];
    assert_ok(context, thaw_softmax_cross_entropy(model, node, options, &node));
    layer l =
        layer_open(model, &(layer_wish){ .batch = BATCH, .training = true, .input_gradients = true, .target = labels });
    l.run.mixed = mixed;
    for (size_t i = 0; i < COUNT; i++)
        logits[i] = (double)(l.inputs[0][i] *= 3);
    layer_forward(&l);
    layer_backward(&l);
    cr_assert_float_eq((double)*l.output, loss_of(options, mixed, logits), 1e-5, "%g", (double)*l.output);
    for (size_t i = 0; i < COUNT; i++) {
        const double value = logits[i], step = 1e-5;
        logits[i] = value + step;
        const double above = loss_of(options, mixed, logits);
        logits[i] = value - step;
        gradient[i] = (float)((above - loss_of(options, mixed, logits)) / (2 * step));
        logits[i] = value;
    }
    assert_close(l.input_gradients[0], gradient, COUNT, 1e-6, "gradient");
    layer_close(&l, model);
    thaw_context_destroy(context);
}

Test(mixed_targets, are_soft_targets)
{
    static const double shares[] = { 0, 0.3, 1 };
    for (size_t i = 0; i < THAW_COUNT(shares); i++) {
        check(&(thaw_softmax_cross_entropy_options){ 0 }, shares[i]);
        check(&(thaw_softmax_cross_entropy_options){ .label_smoothing = 0.1, .class_weights = class_weights },
              shares[i]);
        check(&(thaw_softmax_cross_entropy_options){ .reduction = THAW_REDUCE_SUM }, shares[i]);
        check(&(thaw_softmax_cross_entropy_options){ .use_ignore_label = true,
                                                     .ignore_label = IGNORED,
                                                     .label_smoothing = 0.2 },
              shares[i]);
    }
}
