/* Softmax of a network's outputs. */
#ifndef THAW_TRAIN_PROBABILITIES_H
#define THAW_TRAIN_PROBABILITIES_H

#include <stddef.h>

/* In place, for one sample. NaN makes all of them NaN. */
void thaw_make_probabilities(float *scores, size_t count);

#endif
