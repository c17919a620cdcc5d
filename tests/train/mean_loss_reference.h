/* Losses of eleven samples by their definition: with weights, ignored labels, smoothing, as means and as sums. */
#ifndef THAW_TESTS_TRAIN_MEAN_LOSS_REFERENCE_H
#define THAW_TESTS_TRAIN_MEAN_LOSS_REFERENCE_H

#include <thaw/thaw.h>

enum { MEAN_LOSS_SAMPLES = 11, MEAN_LOSS_CLASSES = 3, MEAN_LOSS_CASES = 13 };

typedef enum loss_kind { CROSS_ENTROPY, SQUARED_ERROR, BINARY_CROSS_ENTROPY } loss_kind;

typedef struct mean_loss_case {
    loss_kind kind;
    thaw_reduction reduction;
    double smoothing;
    const float *weights; /* of classes, or of positive targets */
    bool ignores;
    int32_t ignored;
} mean_loss_case;

extern const mean_loss_case mean_loss_cases[MEAN_LOSS_CASES];

/* What the network gives, and the targets: answers of elements, or labels. */
extern float mean_loss_logits[MEAN_LOSS_SAMPLES * MEAN_LOSS_CLASSES],
    mean_loss_answers[MEAN_LOSS_SAMPLES * MEAN_LOSS_CLASSES];
extern int32_t mean_loss_labels[MEAN_LOSS_SAMPLES];

/* Fills them. */
void mean_loss_fill(const mean_loss_case *c);

typedef struct mean_loss_expectation {
    double total, weight; /* of the loss */
    size_t correct, counted;
} mean_loss_expectation;

/* Of samples [begin, end). */
mean_loss_expectation mean_loss_expect(const mean_loss_case *c, size_t begin, size_t end);

#endif
