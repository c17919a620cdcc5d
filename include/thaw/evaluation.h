/* Loss and accuracy over a data set. */
#ifndef THAW_EVALUATION_H
#define THAW_EVALUATION_H

#include <thaw/classification.h>
#include <thaw/data.h>
#include <thaw/distributed.h>
#include <thaw/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The results of thaw_evaluate. */
typedef struct thaw_evaluation {
    double loss;     /* mean over the data set, see thaw_evaluate; NAN without a loss, or if no sample counts */
    double accuracy; /* share of correct samples among those that count; NAN without labels, or if no sample counts */
    /* Share of samples whose label is among the five largest outputs, as by torch.topk; of equal outputs the first come
       first. NAN as `accuracy`, and if there are at most five classes. */
    double top5_accuracy;
    /* Mean over the classes of F1 = 2 TP / (2 TP + FP + FN): of TP right predictions of a class, FP wrong ones, and FN
       of its samples that were predicted otherwise (van Rijsbergen, Information Retrieval, 1979; the mean is the
       "averaged F1" of Opitz and Burst, arXiv 1911.03347). A class that is neither label nor prediction of a sample
       does not count. Equal to f1_score(average="macro") of scikit-learn. NAN as `accuracy`. */
    double macro_f1;
    double perplexity; /* exp(loss), where the loss is one over tokens (thaw_token_cross_entropy); NAN otherwise */
    size_t samples;    /* all samples, including those that do not count */
    double seconds;    /* duration */
} thaw_evaluation;

/* Loss, accuracy, top-5 accuracy and macro F1 over a data set; `batch` 0: 128. Apart from rounding, none depends on the
   batch size. A mean loss is reported as PyTorch would for the whole data set in one batch: weighted by the class
   weights, if any. A sum (THAW_REDUCE_SUM) is reported as the sum over the data set divided by the number of samples. A
   sample whose label the loss ignores counts neither there nor in the other figures, as with ignore_index in PyTorch
   and torchmetrics. In these, all samples that count have the same weight, whatever their class. Where each token has a
   label, all these figures are of tokens instead of samples. A loss of the host's own is averaged by its
   thaw_layer_module.weigh; without that, each batch's loss is weighted by its number of samples.
   Where the data tell lengths, batches are of samples of like lengths (thaw_dataset_set_lengths), the shortest first.
   The outputs of a sample with a NaN or an infinity are those of thaw_predict; the loss is then NaN, unless it ignores
   the sample.
   Errors: THAW_SHAPE_MISMATCH (data and model do not match), THAW_INVALID_ARGUMENT (a label outside the classes that
   the loss does not ignore), THAW_NOT_FINITE (a parameter). */
THAW_API thaw_status thaw_evaluate(thaw_model *model, thaw_dataset *dataset, int64_t batch, thaw_evaluation *result);

/* A position in an evaluation. */
typedef struct thaw_evaluation_progress {
    size_t samples, all; /* evaluated so far, and of the data set */
} thaw_evaluation_progress;

/* Options of thaw_evaluate_with. Zero everywhere means the default. */
typedef struct thaw_evaluation_options {
    int64_t batch; /* 0: 128 */
    /* Gets the probabilities of each sample, the softmax of the network's outputs, and its label, unless the loss
       ignores that; of as many classes as the network has outputs. NULL: none */
    thaw_classification *classification;
    bool (*on_batch)(void *user, const thaw_evaluation_progress *progress); /* false: stop; may be NULL */
    void *user;                                                             /* passed to on_batch */
} thaw_evaluation_options;

/* thaw_evaluate with more to say. `options` may be NULL.
   Errors: those of thaw_evaluate and thaw_classification_add (a sample that is not finite has no probabilities);
   THAW_INVALID_ARGUMENT (a classification of other classes, or a loss that has no labels), THAW_STOPPED (on_batch). */
THAW_API thaw_status thaw_evaluate_with(thaw_model *model, thaw_dataset *dataset,
                                        const thaw_evaluation_options *options, thaw_evaluation *result);

/* thaw_evaluate on several ranks (thaw/distributed.h), which all call it: each evaluates a part of the batches, and all
   get the results of all, added up in the order of the batches. With the same data, the same weights and the same
   number of threads each, any number of ranks gives the figures of one, to the bit. If a rank fails, it calls the
   communicator's `abort`. Errors: those of thaw_evaluate; THAW_INVALID_ARGUMENT (the communicator), THAW_IO_ERROR (a
   rank cannot be reached), THAW_OUT_OF_MEMORY. */
THAW_API thaw_status thaw_ranks_evaluate(thaw_model *model, thaw_dataset *dataset, int64_t batch,
                                         const thaw_communicator *communicator, thaw_evaluation *result);

#ifdef __cplusplus
}
#endif

#endif
