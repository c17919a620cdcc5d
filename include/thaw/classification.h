/* Figures of a classifier by class: counts of right and wrong answers, precision, recall, F1, ROC AUC.

     thaw_classification *figures;
     thaw_classification_create(context, classes, &figures);
     for each batch: thaw_classification_add(figures, scores, labels, count);
     thaw_classification_totals(figures, &totals);

   thaw_evaluate_with (thaw/train.h) adds the batches of a data set by itself.

   Sources and conventions. For a class, TP are its samples that were told right, FP other samples that were taken for it,
   and FN its samples that were taken for others. Precision is TP / (TP + FP), recall TP / (TP + FN), F1 their harmonic
   mean, 2 TP / (2 TP + FP + FN) (van Rijsbergen, Information Retrieval, 1979, chapter 7). 0 / 0 is 0, as with
   zero_division=0 in scikit-learn: a class that was never told has precision 0, and one without samples recall 0.
   A sample's answer is its highest score; of equal ones, that of the lower class.

   ROC AUC of a class against all others is the probability that a sample of the class has a higher score for it than
   another sample, where equal scores count half: the Mann-Whitney statistic with average ranks, which is the area under
   the curve (Hanley and McNeil, Radiology 143, 1982). It is exact, with sums of whole numbers. Scores of different samples
   are compared with each other: give probabilities, as thaw_predictor does, not outputs before the softmax.

   The figures equal scikit-learn's classification_report and roc_auc_score(multi_class="ovr") with labels=range(classes).
   They differ in two points. The mean of ROC AUC leaves out classes for which it is not defined. Among equal scores,
   top_k_accuracy_score of scikit-learn takes the higher class.

   Each object serves one thread at a time, as its context does. */
#ifndef THAW_CLASSIFICATION_H
#define THAW_CLASSIFICATION_H

#include <thaw/context.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What was counted so far. */
typedef struct thaw_classification thaw_classification;

/* Starts with no samples. The caller owns *classification, and destroys it before the context.
   Errors: THAW_INVALID_ARGUMENT (no classes, or more than 2^31 - 1), THAW_OUT_OF_MEMORY (classes x classes counts). */
THAW_API thaw_status thaw_classification_create(thaw_context *context, size_t classes,
                                                thaw_classification **classification);

/* NULL is allowed. */
THAW_API void thaw_classification_destroy(thaw_classification *classification);

/* Adds samples: `scores` has `count` rows of `classes` scores, `labels` the right class of each row. All scores are
   kept, because ROC AUC compares them: 4 bytes each.
   Errors, which add nothing: THAW_NOT_FINITE (a score is NaN), THAW_INVALID_ARGUMENT (a label is no class),
   THAW_OUT_OF_MEMORY. */
THAW_API thaw_status thaw_classification_add(thaw_classification *classification, const float *scores,
                                             const int32_t *labels, size_t count);

/* Precision, recall and F1: of a class, or means over classes. */
typedef struct thaw_class_rates {
    double precision; /* of the samples that were taken for the class, the share that is of it */
    double recall;    /* of the samples of the class, the share that was told right */
    double f1;        /* harmonic mean of both */
} thaw_class_rates;

/* The figures of one class. */
typedef struct thaw_class_figures {
    thaw_class_rates rates; /* precision, recall and F1 */
    double roc_auc;         /* against all others; NAN if all samples or none are of the class */
    size_t support;         /* samples of the class */
    size_t predicted;       /* samples that were taken for it */
    size_t correct;         /* samples that are both */
} thaw_class_figures;

/* Figures of all classes together. Shares are NAN without samples. */
typedef struct thaw_classification_figures {
    size_t samples;            /* all that were added */
    size_t correct;            /* those that were told right */
    double accuracy;           /* correct / samples */
    double top5;               /* share of samples whose class is among their five highest scores */
    thaw_class_rates macro;    /* plain mean over the classes */
    thaw_class_rates weighted; /* mean weighted by the samples of each class */
    double roc_auc;            /* plain mean over the classes that have one; NAN if none has */
} thaw_classification_figures;

/* The number of classes. */
THAW_API size_t thaw_classification_classes(const thaw_classification *classification);

/* The samples of class `actual` that were taken for class `predicted`; 0 where there is no such class. */
THAW_API size_t thaw_classification_count(const thaw_classification *classification, size_t actual, size_t predicted);

/* The share of samples whose class is among their `most` highest scores; of equal scores, those of lower classes come
   first. NAN without samples. */
THAW_API double thaw_classification_top(const thaw_classification *classification, size_t most);

/* Samples of one class that were taken for another. */
typedef struct thaw_confusion {
    size_t actual, predicted; /* classes */
    size_t count;             /* samples */
} thaw_confusion;

/* Writes the `most` most frequent confusions, the most frequent first; of equal ones those of lower classes, first the
   actual, then the predicted. Returns how many there are: fewer if there are no others. */
THAW_API size_t thaw_classification_confusions(const thaw_classification *classification, thaw_confusion *confusions,
                                               size_t most);

/* The figures of one class, in n log n for n samples. Errors: THAW_INVALID_ARGUMENT (no such class),
   THAW_OUT_OF_MEMORY. */
THAW_API thaw_status thaw_classification_class(const thaw_classification *classification, size_t index,
                                               thaw_class_figures *figures);

/* The figures of all classes, in classes x n log n. Errors: THAW_OUT_OF_MEMORY. */
THAW_API thaw_status thaw_classification_totals(const thaw_classification *classification,
                                                thaw_classification_figures *figures);

#ifdef __cplusplus
}
#endif

#endif
