/* Batches of samples of like lengths. */
#ifndef THAW_DATA_LIKE_LENGTHS_H
#define THAW_DATA_LIKE_LENGTHS_H

#include "data/dataset.h"

/* Batches whose samples are sorted among each other. */
enum { THAW_LENGTH_WINDOW = 100 };

/* An epoch's number, which keys its order, and the epoch of the data set whose samples it reads. */
typedef struct thaw_batch_epoch {
    uint64_t number, samples;
} thaw_batch_epoch;

/* A sample and its place in the order. */
typedef struct thaw_like_length {
    size_t length, place, sample;
} thaw_like_length;

/* Sorts a shuffled order by length within windows of batches, and shuffles the batches. The samples of a last, smaller
   batch stay at the end. `window` has room for the samples of a window. May run on a thread of the loader. */
void thaw_order_by_lengths(thaw_dataset *dataset, uint64_t seed, thaw_batch_epoch epoch, size_t *order, size_t batch,
                           thaw_like_length *window);

/* Sorts all of an order by length, in which samples of the same length stay as they are. `window` has room for them.
   May run on a thread of the loader. */
void thaw_sort_by_lengths(thaw_dataset *dataset, uint64_t epoch, size_t *order, size_t count, thaw_like_length *window);

/* The samples of a window. */
size_t thaw_length_window(const thaw_dataset *dataset, size_t batch);

#endif
