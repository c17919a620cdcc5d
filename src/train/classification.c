/* Counts of a classifier's answers, and the figures that follow from them. Formulas: thaw/classification.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <thaw/classification.h>

#include "core/allocation.h"

enum { TOP = 5 };

struct thaw_classification {
    thaw_context *context;
    size_t classes, samples;
    uint64_t *counts; /* [actual, predicted] */
    uint64_t *places; /* by place from 0: the samples for which as many classes come before their own */
    float *scores;    /* [samples, classes] */
    int32_t *labels;
    size_t score_capacity, label_capacity;
};

thaw_status thaw_classification_create(thaw_context *context, size_t classes, thaw_classification **classification)
{
    *classification = NULL;
    if (classes < 1 || classes > INT32_MAX)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "there are %zu classes, must be 1 to 2147483647", classes);
    thaw_classification *made = thaw_allocate(context, sizeof *made);
    if (!made)
        return THAW_OUT_OF_MEMORY;
    made->context = context;
    made->classes = classes;
    made->counts = thaw_allocate_array(context, classes, classes * sizeof *made->counts);
    made->places = thaw_allocate_array(context, classes, sizeof *made->places);
    if (!made->counts || !made->places) {
        thaw_classification_destroy(made);
        return THAW_OUT_OF_MEMORY;
    }
    *classification = made;
    return THAW_OK;
}

void thaw_classification_destroy(thaw_classification *classification)
{
    if (!classification)
        return;
    thaw_context *context = classification->context;
    thaw_release(context, classification->counts);
    thaw_release(context, classification->places);
    thaw_release(context, classification->scores);
    thaw_release(context, classification->labels);
    thaw_release(context, classification);
}

/* ---------------------------------------------------------------- adding */

static thaw_status check(const thaw_classification *c, const float *scores, const int32_t *labels, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (labels[i] < 0 || (size_t)labels[i] >= c->classes)
            return thaw_fail(c->context, THAW_INVALID_ARGUMENT, "sample %zu: the label is %d, must be 0 to %zu",
                             c->samples + i, (int)labels[i], c->classes - 1);
        for (size_t k = 0; k < c->classes; k++)
            if (isnan(scores[i * c->classes + k]))
                return thaw_fail(c->context, THAW_NOT_FINITE, "sample %zu: the score of class %zu is NaN",
                                 c->samples + i, k);
    }
    return THAW_OK;
}

static thaw_status reserve(thaw_classification *c, size_t count)
{
    size_t samples, scores;
    if (__builtin_add_overflow(c->samples, count, &samples) || !thaw_multiply_sizes(samples, c->classes, &scores))
        return thaw_fail(c->context, THAW_OUT_OF_MEMORY, "the scores of that many samples overflow a size");
    float *values = thaw_grow(c->context, c->scores, &c->score_capacity, scores, sizeof *values);
    if (!values)
        return THAW_OUT_OF_MEMORY;
    c->scores = values;
    int32_t *labels = thaw_grow(c->context, c->labels, &c->label_capacity, samples, sizeof *labels);
    if (!labels)
        return THAW_OUT_OF_MEMORY;
    c->labels = labels;
    return THAW_OK;
}

static void count_one(thaw_classification *c, const float *row, size_t label)
{
    size_t best = 0, before = 0;
    for (size_t k = 0; k < c->classes; k++) {
        best = row[k] > row[best] ? k : best;
        before += row[k] > row[label] || (row[k] == row[label] && k < label);
    }
    c->counts[label * c->classes + best]++;
    c->places[before]++;
}

thaw_status thaw_classification_add(thaw_classification *classification, const float *scores, const int32_t *labels,
                                    size_t count)
{
    thaw_classification *c = classification;
    if (count == 0)
        return THAW_OK;
    thaw_status status = check(c, scores, labels, count);
    if (status == THAW_OK)
        status = reserve(c, count);
    if (status != THAW_OK)
        return status;
    memcpy(c->scores + c->samples * c->classes, scores, count * c->classes * sizeof *scores);
    memcpy(c->labels + c->samples, labels, count * sizeof *labels);
    for (size_t i = 0; i < count; i++)
        count_one(c, scores + i * c->classes, (size_t)labels[i]);
    c->samples += count;
    return THAW_OK;
}

/* ---------------------------------------------------------------- counts */

size_t thaw_classification_classes(const thaw_classification *classification)
{
    return classification->classes;
}

size_t thaw_classification_count(const thaw_classification *classification, size_t actual, size_t predicted)
{
    const size_t classes = classification->classes;
    return actual < classes && predicted < classes ? (size_t)classification->counts[actual * classes + predicted] : 0;
}

size_t thaw_classification_confusions(const thaw_classification *classification, thaw_confusion *confusions,
                                      size_t most)
{
    const size_t classes = classification->classes;
    size_t kept = 0;
    for (size_t i = 0; i < classes * classes; i++) {
        const thaw_confusion one = { i / classes, i % classes, (size_t)classification->counts[i] };
        if (one.actual == one.predicted || one.count == 0 || most == 0 ||
            (kept == most && confusions[kept - 1].count >= one.count))
            continue;
        size_t place = kept < most ? kept++ : kept - 1;
        for (; place && confusions[place - 1].count < one.count; place--)
            confusions[place] = confusions[place - 1];
        confusions[place] = one;
    }
    return kept;
}

/* Undefined without samples. */
static double share(uint64_t part, uint64_t whole)
{
    return whole ? (double)part / (double)whole : (double)NAN;
}

/* 0 / 0 is 0. */
static double rate(uint64_t part, uint64_t whole)
{
    return whole ? (double)part / (double)whole : 0;
}

double thaw_classification_top(const thaw_classification *classification, size_t most)
{
    uint64_t within = 0;
    for (size_t i = 0; i < most && i < classification->classes; i++)
        within += classification->places[i];
    return share(within, classification->samples);
}

/* ---------------------------------------------------------------- ROC AUC */

static int compare(const void *left, const void *right)
{
    const float a = *(const float *)left, b = *(const float *)right;
    return (a > b) - (a < b);
}

/* The number of sorted values that are below `value`, or equal to it with `equal`. */
static size_t count_below(const float *sorted, size_t count, float value, bool equal)
{
    size_t low = 0, high = count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (sorted[middle] < value || (equal && sorted[middle] == value))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Pairs of a sample of the class and one of another count two where the first has the higher score, and one where both
   are equal. `own` has room for the scores of the class. */
static double area(const thaw_classification *c, size_t index, size_t support, float *own)
{
    const size_t others = c->samples - support;
    size_t found = 0;
    uint64_t halves = 0;
    if (support == 0 || others == 0)
        return NAN;
    for (size_t i = 0; i < c->samples; i++)
        if ((size_t)c->labels[i] == index)
            own[found++] = c->scores[i * c->classes + index];
    qsort(own, support, sizeof *own, compare);
    for (size_t i = 0; i < c->samples; i++) {
        if ((size_t)c->labels[i] == index)
            continue;
        const float other = c->scores[i * c->classes + index];
        const size_t below = count_below(own, support, other, false);
        const size_t upto = count_below(own, support, other, true);
        halves += 2 * (uint64_t)(support - upto) + (uint64_t)(upto - below);
    }
    return (double)halves / (2 * (double)support * (double)others);
}

/* ---------------------------------------------------------------- figures */

/* `own` has room for a score of each sample. */
static thaw_class_figures measure(const thaw_classification *c, size_t index, float *own)
{
    thaw_class_figures found = { .correct = thaw_classification_count(c, index, index) };
    for (size_t k = 0; k < c->classes; k++) {
        found.support += thaw_classification_count(c, index, k);
        found.predicted += thaw_classification_count(c, k, index);
    }
    found.rates.precision = rate(found.correct, found.predicted);
    found.rates.recall = rate(found.correct, found.support);
    found.rates.f1 = rate(2 * (uint64_t)found.correct, (uint64_t)found.support + found.predicted);
    found.roc_auc = area(c, index, found.support, own);
    return found;
}

thaw_status thaw_classification_class(const thaw_classification *classification, size_t index,
                                      thaw_class_figures *figures)
{
    const thaw_classification *c = classification;
    *figures = (thaw_class_figures){ .roc_auc = NAN };
    if (index >= c->classes)
        return thaw_fail(c->context, THAW_INVALID_ARGUMENT, "class %zu: there are %zu", index, c->classes);
    float *own = thaw_allocate_array(c->context, c->samples + 1, sizeof *own);
    if (!own)
        return THAW_OUT_OF_MEMORY;
    *figures = measure(c, index, own);
    thaw_release(c->context, own);
    return THAW_OK;
}

static void add_rates(thaw_class_rates *sum, const thaw_class_rates *rates, double weight)
{
    sum->precision += weight * rates->precision;
    sum->recall += weight * rates->recall;
    sum->f1 += weight * rates->f1;
}

static void divide_rates(thaw_class_rates *sum, double weight)
{
    sum->precision /= weight;
    sum->recall /= weight;
    sum->f1 /= weight;
}

thaw_status thaw_classification_totals(const thaw_classification *classification, thaw_classification_figures *figures)
{
    const thaw_classification *c = classification;
    thaw_classification_figures found = { .samples = c->samples };
    size_t areas = 0;
    float *own = thaw_allocate_array(c->context, c->samples + 1, sizeof *own);
    *figures = found;
    if (!own)
        return THAW_OUT_OF_MEMORY;
    for (size_t i = 0; i < c->classes; i++) {
        const thaw_class_figures one = measure(c, i, own);
        found.correct += one.correct;
        add_rates(&found.macro, &one.rates, 1);
        add_rates(&found.weighted, &one.rates, (double)one.support);
        found.roc_auc += isnan(one.roc_auc) ? 0 : one.roc_auc;
        areas += isnan(one.roc_auc) ? 0 : 1;
    }
    thaw_release(c->context, own);
    divide_rates(&found.macro, c->samples ? (double)c->classes : (double)NAN);
    divide_rates(&found.weighted, c->samples ? (double)c->samples : (double)NAN);
    found.roc_auc = areas ? found.roc_auc / (double)areas : (double)NAN;
    found.accuracy = share(found.correct, found.samples);
    found.top5 = thaw_classification_top(c, TOP);
    *figures = found;
    return THAW_OK;
}
