/* A network over sequences of different lengths: a mean over each sample's own steps. */
#ifndef THAW_TESTS_TRAIN_LENGTH_NETWORK_H
#define THAW_TESTS_TRAIN_LENGTH_NETWORK_H

#include "support/support.h"

enum { LENGTH_LONGEST = 40, LENGTH_ROWS = 13, LENGTH_CLASSES = 3, LENGTH_MOST = 96 };

/* Inputs "ids" and "length"; an embedding, a dense layer, tanh, the mean, a dense layer. Groups: table, mix, last. If it
   does not cut, batches always have the longest length. */
thaw_model *length_network(thaw_context *context, bool cuts, const char *optimizer);

/* Samples of lengths from 1 to `longest` that depend on a seed alone. Behind its length, a sample has other ids. */
typedef struct length_batch {
    int64_t count;
    int32_t ids[LENGTH_MOST * LENGTH_LONGEST], lengths[LENGTH_MOST], labels[LENGTH_MOST];
    thaw_tensor inputs[2], targets; /* of the above */
} length_batch;

void length_batch_fill(length_batch *batch, int64_t count, int longest, uint32_t seed);

#endif
