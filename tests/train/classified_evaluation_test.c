/* What thaw_evaluate_with adds to the figures of a classifier, against thaw_predict and a softmax of the test's own. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "support/network.h"

enum { SAMPLES = 50, FEATURES = 3, CLASSES = 4, IGNORED = 2 };

static thaw_context *context;
static thaw_model *model;
static thaw_dataset *data;
static thaw_classification *figures;
static float samples[SAMPLES][FEATURES];
static int32_t labels[SAMPLES];

static thaw_model *build(bool ignores)
{
    thaw_model *made;
    thaw_node x;
    assert_ok(context, thaw_model_create(context, &made));
    assert_ok(context, thaw_input(made, &(thaw_shape){ 1, { FEATURES } }, &x));
    assert_ok(context, thaw_dense(made, x, &(thaw_dense_options){ .units = CLASSES }, &x));
    assert_ok(context, thaw_softmax_cross_entropy(made, x,
                                                  &(thaw_softmax_cross_entropy_options){ .use_ignore_label = ignores,
                                                                                         .ignore_label = IGNORED },
                                                  &x));
    return made;
}

static thaw_dataset *put(void)
{
    thaw_dataset *made;
    const thaw_tensor inputs = thaw_view_f32(samples[0], 2, (int64_t[]){ SAMPLES, FEATURES });
    const thaw_tensor targets = { .dtype = THAW_I32, .shape = { 1, { SAMPLES } }, .data = labels };
    assert_ok(context, thaw_dataset_from_arrays(context, &inputs, &targets, CLASSES, &made));
    return made;
}

static void begin(void)
{
    context = support_context(1);
    support_fill(samples[0], SAMPLES * FEATURES, 5);
    for (int i = 0; i < SAMPLES; i++)
        labels[i] = i * 7 % CLASSES;
    model = build(true);
    data = put();
    assert_ok(context, thaw_classification_create(context, CLASSES, &figures));
}

static void end(void)
{
    thaw_classification_destroy(figures);
    thaw_dataset_destroy(data);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

TestSuite(classified_evaluation, .init = begin, .fini = end);

/* ROC AUC of a class by all pairs, of the labels that count. */
static double area(const double probabilities[SAMPLES][CLASSES], int class)
{
    double wins = 0, pairs = 0;
    for (int i = 0; i < SAMPLES; i++)
        for (int k = 0; k < SAMPLES; k++)
            if (labels[i] == class && labels[k] != class && labels[k] != IGNORED) {
                wins += probabilities[i][class] > probabilities[k][class];
                pairs++;
            }
    return wins / pairs;
}

Test(classified_evaluation, adds_probabilities_and_labels_that_count)
{
    static float outputs[SAMPLES][CLASSES];
    static double probabilities[SAMPLES][CLASSES];
    size_t counts[CLASSES][CLASSES] = { { 0 } }, right = 0, counted = 0;
    const thaw_tensor inputs = thaw_view_f32(samples[0], 2, (int64_t[]){ SAMPLES, FEATURES });
    const thaw_tensor into = thaw_view_f32(outputs[0], 2, (int64_t[]){ SAMPLES, CLASSES });
    thaw_evaluation plain, found;
    assert_ok(context, thaw_predict(model, &inputs, &into));
    for (int i = 0; i < SAMPLES; i++) {
        double sum = 0;
        int best = 0;
        for (int k = 0; k < CLASSES; k++) {
            sum += exp((double)outputs[i][k]);
            best = outputs[i][k] > outputs[i][best] ? k : best;
        }
        for (int k = 0; k < CLASSES; k++)
            probabilities[i][k] = exp((double)outputs[i][k]) / sum;
        if (labels[i] == IGNORED)
            continue;
        counts[labels[i]][best]++;
        right += best == labels[i];
        counted++;
    }
    assert_ok(context, thaw_evaluate(model, data, 7, &plain));
    assert_ok(context, thaw_evaluate_with(model, data,
                                          &(thaw_evaluation_options){ .batch = 7, .classification = figures }, &found));
    cr_assert(plain.loss == found.loss && plain.accuracy == found.accuracy && plain.samples == found.samples);
    cr_assert_float_eq(found.accuracy, (double)right / (double)counted, 1e-15);
    for (size_t i = 0; i < CLASSES; i++) {
        thaw_class_figures one;
        for (size_t k = 0; k < CLASSES; k++)
            cr_assert_eq(thaw_classification_count(figures, i, k), counts[i][k], "%zu as %zu", i, k);
        assert_ok(context, thaw_classification_class(figures, i, &one));
        const double wanted = i == IGNORED ? (double)NAN : area((const double(*)[CLASSES])probabilities, (int)i);
        cr_assert((isnan(wanted) && isnan(one.roc_auc)) || fabs(one.roc_auc - wanted) < 1e-12,
                  "class %zu: %.17g, wanted %.17g", i, one.roc_auc, wanted);
    }
}

/* Stops when `most` samples are done. */
typedef struct observer {
    size_t calls, last, most;
} observer;

static bool observe(void *user, const thaw_evaluation_progress *progress)
{
    observer *seen = user;
    cr_assert(progress->all == SAMPLES && progress->samples > seen->last && progress->samples <= SAMPLES);
    seen->calls++;
    seen->last = progress->samples;
    return progress->samples < seen->most;
}

Test(classified_evaluation, tells_its_progress_and_stops_when_asked)
{
    thaw_evaluation found;
    observer seen = { .most = 1000 };
    const thaw_evaluation_options options = { .batch = 7, .on_batch = observe, .user = &seen };
    assert_ok(context, thaw_evaluate_with(model, data, &options, &found));
    cr_assert(seen.calls == 8 && seen.last == SAMPLES, "%zu calls, last %zu", seen.calls, seen.last);
    seen = (observer){ .most = 15 };
    assert_fails(context, thaw_evaluate_with(model, data, &options, &found), THAW_STOPPED, "after 21 of 50 samples");
    cr_assert_eq(seen.calls, 3);
    assert_ok(context, thaw_evaluate_with(model, data, NULL, &found));
}

Test(classified_evaluation, refuses_what_has_no_figures_by_class)
{
    thaw_evaluation found;
    thaw_classification *others;
    assert_ok(context, thaw_classification_create(context, CLASSES + 1, &others));
    assert_fails(context,
                 thaw_evaluate_with(model, data, &(thaw_evaluation_options){ .classification = others }, &found),
                 THAW_INVALID_ARGUMENT, "the figures are of 5 classes, the network has 4");
    thaw_classification_destroy(others);
    samples[9][1] = NAN;
    thaw_dataset *broken = put();
    assert_fails(context,
                 thaw_evaluate_with(model, broken, &(thaw_evaluation_options){ .batch = 4, .classification = figures },
                                    &found),
                 THAW_NOT_FINITE, "the score of class 0 is NaN");
    thaw_dataset_destroy(broken);
}

Test(classified_evaluation, refuses_a_loss_without_labels)
{
    thaw_model *other;
    thaw_dataset *targets;
    thaw_node x;
    thaw_evaluation found;
    assert_ok(context, thaw_model_create(context, &other));
    assert_ok(context, thaw_input(other, &(thaw_shape){ 1, { FEATURES } }, &x));
    assert_ok(context, thaw_mse(other, x, NULL, &x));
    const thaw_tensor inputs = thaw_view_f32(samples[0], 2, (int64_t[]){ SAMPLES, FEATURES });
    assert_ok(context, thaw_dataset_from_arrays(context, &inputs, &inputs, 0, &targets));
    assert_fails(context,
                 thaw_evaluate_with(other, targets, &(thaw_evaluation_options){ .classification = figures }, &found),
                 THAW_INVALID_ARGUMENT, "need a loss that has one label");
    thaw_dataset_destroy(targets);
    thaw_model_destroy(other);
}
