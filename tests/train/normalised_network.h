/* Two convolutions with batch normalisation, and a dense layer. */
#ifndef THAW_TESTS_TRAIN_NORMALISED_NETWORK_H
#define THAW_TESTS_TRAIN_NORMALISED_NETWORK_H

#include "support/support.h"

enum { NORMALISED_BATCH = 16, NORMALISED_CLASSES = 5, NORMALISED_PIXELS = 64 };

/* Layers conv1, norm1, conv2, norm2 and dense. `tracked`: statistics follow the batches when they are frozen, too. */
thaw_model *normalised_network(thaw_context *context, bool tracked);

/* On a batch whose first pixel is this, unless that is 0. With a communicator, each rank gives its part of it. */
thaw_status normalised_try_step(thaw_model *model, uint32_t batch, float pixel, const thaw_step_options *options,
                                thaw_step_result *result);

/* Trains on a batch, and returns the loss. */
double normalised_step(thaw_context *context, thaw_model *model, uint32_t batch);

#endif
