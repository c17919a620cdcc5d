#include "train/mean_loss_reference.h"

#include <math.h>

#include "support/support.h"

enum { ANY = -1 };

float mean_loss_logits[MEAN_LOSS_SAMPLES * MEAN_LOSS_CLASSES], mean_loss_answers[MEAN_LOSS_SAMPLES * MEAN_LOSS_CLASSES];
int32_t mean_loss_labels[MEAN_LOSS_SAMPLES];

/* Where the label is ignored, or any if none is: there are batches of 1, 2 and 3 of which nothing counts. */
static const int32_t pattern[MEAN_LOSS_SAMPLES] = { ANY, ANY, 0, 1, 2, ANY, ANY, ANY, ANY, 1, 0 };

static const float class_weights[MEAN_LOSS_CLASSES] = { 0.5F, 2, 1.25F },
                   some_weights[MEAN_LOSS_CLASSES] = { 0.5F, 0, 3 };

const mean_loss_case mean_loss_cases[] = {
    { CROSS_ENTROPY, THAW_REDUCE_MEAN, 0, NULL, false, 0 },
    { CROSS_ENTROPY, THAW_REDUCE_SUM, 0, NULL, false, 0 },
    { CROSS_ENTROPY, THAW_REDUCE_MEAN, 0, NULL, true, -100 },
    { CROSS_ENTROPY, THAW_REDUCE_SUM, 0, NULL, true, -100 },
    { CROSS_ENTROPY, THAW_REDUCE_MEAN, 0, class_weights, false, 0 },
    { CROSS_ENTROPY, THAW_REDUCE_SUM, 0, class_weights, false, 0 },
    { CROSS_ENTROPY, THAW_REDUCE_MEAN, 0.25, class_weights, true, 2 },
    { CROSS_ENTROPY, THAW_REDUCE_MEAN, 0.25, some_weights, false, 0 },
    { CROSS_ENTROPY, THAW_REDUCE_SUM, 0.25, some_weights, true, 255 },
    { SQUARED_ERROR, THAW_REDUCE_MEAN, 0, NULL, false, 0 },
    { SQUARED_ERROR, THAW_REDUCE_SUM, 0, NULL, false, 0 },
    { BINARY_CROSS_ENTROPY, THAW_REDUCE_MEAN, 0, class_weights, false, 0 },
    { BINARY_CROSS_ENTROPY, THAW_REDUCE_SUM, 0, class_weights, false, 0 },
};

void mean_loss_fill(const mean_loss_case *c)
{
    support_fill(mean_loss_logits, MEAN_LOSS_SAMPLES * MEAN_LOSS_CLASSES, 3);
    support_fill(mean_loss_answers, MEAN_LOSS_SAMPLES * MEAN_LOSS_CLASSES, 4);
    for (size_t i = 0; i < MEAN_LOSS_SAMPLES * MEAN_LOSS_CLASSES; i++) {
        mean_loss_logits[i] *= 3;
        mean_loss_answers[i] = fabsf(mean_loss_answers[i]);
    }
    for (size_t n = 0; n < MEAN_LOSS_SAMPLES; n++) {
        mean_loss_labels[n] = pattern[n];
        if (mean_loss_labels[n] == ANY)
            mean_loss_labels[n] = c->ignores ? c->ignored : (int32_t)(n % MEAN_LOSS_CLASSES);
    }
}

static void expect_cross_entropy(const mean_loss_case *c, size_t n, mean_loss_expectation *sum)
{
    const float *z = mean_loss_logits + n * MEAN_LOSS_CLASSES;
    const int32_t label = mean_loss_labels[n];
    if (c->ignores && label == c->ignored)
        return;
    double exponentials = 0;
    size_t best = 0;
    for (size_t k = 0; k < MEAN_LOSS_CLASSES; k++) {
        exponentials += exp((double)z[k]);
        best = z[k] > z[best] ? k : best;
    }
    for (size_t k = 0; k < MEAN_LOSS_CLASSES; k++) {
        const double weight = c->weights ? (double)c->weights[k] : 1;
        const double target = (1 - c->smoothing) * (label == (int32_t)k) + c->smoothing / MEAN_LOSS_CLASSES;
        sum->total -= weight * target * ((double)z[k] - log(exponentials));
    }
    sum->weight += c->reduction == THAW_REDUCE_MEAN && c->weights ? (double)c->weights[label] : 1;
    sum->correct += label == (int32_t)best;
    sum->counted++;
}

static void expect_elements(const mean_loss_case *c, size_t n, mean_loss_expectation *sum)
{
    double loss = 0;
    for (size_t k = 0; k < MEAN_LOSS_CLASSES; k++) {
        const double x = (double)mean_loss_logits[n * MEAN_LOSS_CLASSES + k],
                     t = (double)mean_loss_answers[n * MEAN_LOSS_CLASSES + k];
        const double share = 1 / (1 + exp(-x));
        loss += c->kind == SQUARED_ERROR ? (x - t) * (x - t)
                                         : -(double)c->weights[k] * t * log(share) - (1 - t) * log(1 - share);
    }
    sum->total += c->reduction == THAW_REDUCE_MEAN ? loss / MEAN_LOSS_CLASSES : loss;
    sum->weight++;
}

mean_loss_expectation mean_loss_expect(const mean_loss_case *c, size_t begin, size_t end)
{
    mean_loss_expectation sum = { 0 };
    for (size_t n = begin; n < end; n++)
        if (c->kind == CROSS_ENTROPY)
            expect_cross_entropy(c, n, &sum);
        else
            expect_elements(c, n, &sum);
    return sum;
}
