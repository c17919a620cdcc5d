/* Figures of classifiers, against scikit-learn. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <thaw/classification.h>

#include "support/files.h"
#include "support/support.h"

enum { MOST_SAMPLES = 60, MOST_CLASSES = 8, CASES = 8 };

static thaw_context *context;

static void begin(void)
{
    context = support_context(1);
}

static void end(void)
{
    thaw_context_destroy(context);
}

TestSuite(classification, .init = begin, .fini = end);

static thaw_classification *create(size_t classes)
{
    thaw_classification *made;
    assert_ok(context, thaw_classification_create(context, classes, &made));
    return made;
}

/* ---------------------------------------------------------------- golden values */

static double read_number(FILE *file)
{
    double value;
    cr_assert_eq(fscanf(file, "%lf", &value), 1);
    return value;
}

static void assert_number(FILE *file, double found, const char *what, int place)
{
    const double wanted = read_number(file);
    cr_assert((isnan(wanted) && isnan(found)) || fabs(found - wanted) <= 1e-14, "case %d: %s is %.17g, wanted %.17g",
              place, what, found, wanted);
}

static void assert_rates(FILE *file, const thaw_class_rates *found, int place)
{
    assert_number(file, found->precision, "precision", place);
    assert_number(file, found->recall, "recall", place);
    assert_number(file, found->f1, "F1", place);
}

/* Adds the samples in batches of growing sizes. */
static void read_samples(FILE *file, thaw_classification *figures, size_t samples, size_t classes)
{
    static float scores[MOST_SAMPLES * MOST_CLASSES];
    float *row = scores;
    int32_t labels[MOST_SAMPLES];
    for (size_t i = 0; i < samples; i++) {
        for (size_t k = 0; k < classes; k++)
            *row++ = (float)read_number(file);
        labels[i] = (int32_t)read_number(file);
    }
    for (size_t first = 0, count = 0; first < samples; first += count) {
        count = count + 1 < samples - first ? count + 1 : samples - first;
        assert_ok(context, thaw_classification_add(figures, scores + first * classes, labels + first, count));
    }
}

static void assert_case(FILE *file, size_t samples, size_t classes, int place)
{
    thaw_classification *figures = create(classes);
    thaw_classification_figures all;
    read_samples(file, figures, samples, classes);
    for (size_t i = 0; i < classes; i++)
        for (size_t k = 0; k < classes; k++)
            assert_number(file, (double)thaw_classification_count(figures, i, k), "count", place);
    for (size_t i = 0; i < classes; i++) {
        thaw_class_figures one;
        assert_ok(context, thaw_classification_class(figures, i, &one));
        assert_rates(file, &one.rates, place);
        assert_number(file, one.roc_auc, "ROC AUC", place);
        assert_number(file, (double)one.support, "support", place);
    }
    assert_ok(context, thaw_classification_totals(figures, &all));
    assert_rates(file, &all.macro, place);
    assert_rates(file, &all.weighted, place);
    assert_number(file, all.accuracy, "accuracy", place);
    assert_number(file, all.top5, "top-5", place);
    assert_number(file, all.roc_auc, "mean ROC AUC", place);
    cr_assert_eq(all.samples, samples);
    cr_assert_eq(thaw_classification_classes(figures), classes);
    thaw_classification_destroy(figures);
}

Test(classification, agrees_with_scikit_learn)
{
    char path[SUPPORT_PATH_BYTES];
    FILE *golden = fopen(support_golden(path, "classification.txt"), "r");
    cr_assert_not_null(golden);
    size_t samples, classes;
    int place = 0;
    for (; fscanf(golden, "%zu %zu", &samples, &classes) == 2; place++) {
        cr_assert(samples <= MOST_SAMPLES && classes <= MOST_CLASSES);
        assert_case(golden, samples, classes, place);
    }
    cr_assert_eq(place, CASES);
    fclose(golden);
}

/* ---------------------------------------------------------------- edges */

Test(classification, counts_by_pairs_what_ranks_count)
{
    enum { COUNT = 200, SHADES = 7 };
    static float scores[COUNT][2];
    int32_t labels[COUNT];
    thaw_class_figures one;
    thaw_classification *figures = create(2);
    double wins = 0, pairs = 0;
    for (uint32_t i = 0, state = 1; i < COUNT; i++) {
        state = state * 1664525 + 1013904223;
        labels[i] = (int32_t)(state >> 31);
        scores[i][1] = (float)((state >> 8) % SHADES + (uint32_t)labels[i]) / (SHADES + 1);
        scores[i][0] = 1 - scores[i][1];
    }
    assert_ok(context, thaw_classification_add(figures, scores[0], labels, COUNT));
    assert_ok(context, thaw_classification_class(figures, 1, &one));
    for (int i = 0; i < COUNT; i++)
        for (int k = 0; k < COUNT; k++)
            if (labels[i] == 1 && labels[k] == 0) {
                wins += scores[i][1] > scores[k][1] ? 1 : scores[i][1] == scores[k][1] ? 0.5 : 0;
                pairs++;
            }
    cr_assert(fabs(one.roc_auc - wins / pairs) < 1e-14, "%.17g, wanted %.17g", one.roc_auc, wins / pairs);
    cr_assert(one.roc_auc > 0.5 && one.roc_auc < 0.9, "the test would see little");
    thaw_classification_destroy(figures);
}

Test(classification, takes_the_lower_of_equal_classes_first)
{
    thaw_classification *figures = create(6);
    const float scores[2][6] = { { 1, 2, 2, 1, 2, 1 }, { 0, 0, 0, 0, 0, 0 } };
    assert_ok(context, thaw_classification_add(figures, scores[0], (int32_t[]){ 4, 5 }, 2));
    cr_assert_eq(thaw_classification_count(figures, 4, 1), 1);
    cr_assert_eq(thaw_classification_count(figures, 5, 0), 1);
    cr_assert_eq(thaw_classification_count(figures, 6, 0), 0);
    const double wanted[] = { 0, 0, 0, 0.5, 0.5, 0.5, 1, 1 };
    for (size_t i = 0; i < THAW_COUNT(wanted); i++)
        cr_assert(thaw_classification_top(figures, i) == wanted[i], "top %zu: %g", i,
                  thaw_classification_top(figures, i));
    thaw_classification_destroy(figures);
}

Test(classification, finds_the_most_frequent_confusions)
{
    static const size_t counts[4][4] = { { 9, 2, 0, 5 }, { 3, 9, 5, 0 }, { 1, 0, 9, 5 }, { 0, 0, 7, 9 } };
    static const thaw_confusion wanted[] = { { 3, 2, 7 }, { 0, 3, 5 }, { 1, 2, 5 }, { 2, 3, 5 },
                                             { 1, 0, 3 }, { 0, 1, 2 }, { 2, 0, 1 } };
    thaw_classification *figures = create(4);
    for (int32_t i = 0; i < 4; i++)
        for (size_t k = 0; k < 4; k++)
            for (size_t n = 0; n < counts[i][k]; n++) {
                float scores[4] = { 0 };
                scores[k] = 1;
                assert_ok(context, thaw_classification_add(figures, scores, &i, 1));
            }
    for (size_t most = 0; most <= 9; most++) {
        thaw_confusion found[9];
        const size_t count = thaw_classification_confusions(figures, found, most);
        cr_assert_eq(count, most < THAW_COUNT(wanted) ? most : THAW_COUNT(wanted));
        for (size_t i = 0; i < count; i++)
            cr_assert(found[i].actual == wanted[i].actual && found[i].predicted == wanted[i].predicted &&
                          found[i].count == wanted[i].count,
                      "%zu of %zu: %zu as %zu, %zu times", i, most, found[i].actual, found[i].predicted,
                      found[i].count);
    }
    thaw_classification_destroy(figures);
}

Test(classification, refuses_what_is_no_score_and_no_class)
{
    thaw_classification *figures = create(3);
    thaw_classification_figures all;
    thaw_class_figures one;
    const float scores[2][3] = { { 0.5F, 0.25F, 0.25F }, { -INFINITY, 3, INFINITY } };
    const float broken[2][3] = { { 1, 0, 0 }, { 0, NAN, 0 } };
    assert_ok(context, thaw_classification_add(figures, NULL, NULL, 0));
    assert_ok(context, thaw_classification_add(figures, scores[0], (int32_t[]){ 0, 2 }, 2));
    assert_fails(context, thaw_classification_add(figures, broken[0], (int32_t[]){ 0, 1 }, 2), THAW_NOT_FINITE,
                 "sample 3: the score of class 1 is NaN");
    assert_fails(context, thaw_classification_add(figures, scores[0], (int32_t[]){ 0, 3 }, 2), THAW_INVALID_ARGUMENT,
                 "sample 3: the label is 3, must be 0 to 2");
    assert_fails(context, thaw_classification_add(figures, scores[0], (int32_t[]){ -1, 0 }, 2), THAW_INVALID_ARGUMENT,
                 "sample 2: the label is -1");
    assert_fails(context, thaw_classification_class(figures, 3, &one), THAW_INVALID_ARGUMENT, "class 3: there are 3");
    assert_ok(context, thaw_classification_totals(figures, &all));
    cr_assert(all.samples == 2 && all.correct == 2 && all.accuracy == 1, "%zu samples", all.samples);
    thaw_classification_destroy(figures);
    thaw_classification_destroy(NULL);
    assert_fails(context, thaw_classification_create(context, 0, &figures), THAW_INVALID_ARGUMENT, "0 classes");
    cr_assert_null(figures);
}

Test(classification, says_nothing_without_samples)
{
    thaw_classification *figures = create(2);
    thaw_classification_figures all;
    thaw_class_figures one;
    assert_ok(context, thaw_classification_totals(figures, &all));
    assert_ok(context, thaw_classification_class(figures, 0, &one));
    cr_assert(isnan(all.accuracy) && isnan(all.top5) && isnan(all.roc_auc) && isnan(all.macro.f1) &&
              isnan(all.weighted.recall));
    cr_assert(isnan(one.roc_auc) && one.rates.precision == 0 && one.rates.recall == 0 && one.rates.f1 == 0);
    thaw_classification_destroy(figures);
}
