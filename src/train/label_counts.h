/* What an evaluation counts of samples, or of tokens, with a label: from it follow accuracy, top-5 accuracy and macro
   F1. All are whole numbers, so that neither batches nor ranks change a bit of their sums. */
#ifndef THAW_TRAIN_LABEL_COUNTS_H
#define THAW_TRAIN_LABEL_COUNTS_H

#include <thaw/distributed.h>

#include "graph/model.h"

/* The place of the largest of these outputs, the first of equals. */
size_t thaw_predicted_class(const float *outputs, size_t classes);

/* Whether the loss counts this label: it may ignore one. */
bool thaw_label_counts_of(const thaw_graph_node *loss, int32_t label);

typedef struct thaw_label_counts {
    size_t classes;   /* of the network; 0: there are no labels, and nothing is counted */
    uint64_t *values; /* see label_counts.c */
} thaw_label_counts;

/* The zeros for a network. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_label_counts_create(const thaw_model *model, thaw_label_counts *counts);
void thaw_label_counts_release(thaw_context *context, thaw_label_counts *counts);

/* Counts labels, of which each has a row of the network's outputs. */
void thaw_label_counts_add(thaw_label_counts *counts, const thaw_model *model, const float *outputs,
                           const void *targets, size_t labels);

/* Adds up the counts of all ranks, on each of them. Errors: those of thaw_gather. */
thaw_status thaw_label_counts_gather(thaw_context *context, const thaw_communicator *communicator,
                                     thaw_label_counts *counts);

/* Of thaw_evaluation. NAN if nothing is counted; top-5 also with at most 5 classes. */
double thaw_label_counts_accuracy(const thaw_label_counts *counts);
double thaw_label_counts_top5(const thaw_label_counts *counts);
double thaw_label_counts_macro_f1(const thaw_label_counts *counts);

#endif
