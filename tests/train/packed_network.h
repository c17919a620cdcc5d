/* A network that is frozen up to its head, with weights that are large enough to leave memory when they are packed. */
#ifndef THAW_TESTS_TRAIN_PACKED_NETWORK_H
#define THAW_TESTS_TRAIN_PACKED_NETWORK_H

#include "support/support.h"

/* With this many filters, the rows of a convolution leave in two parts. */
enum { PACKED_CHANNELS = 32, PACKED_FILTERS = 160, PACKED_CLASSES = 4, PACKED_BATCH = 8, PACKED_LARGE = 3 };

/* Weights that are large enough to leave: those of the convolutions, the second of which has two groups, and of a dense
   layer. None is 3x3 with one group, which could not be restored bit-exactly from Winograd's transform. */
extern const char *const packed_large[PACKED_LARGE];

thaw_model *packed_build(thaw_context *context);

/* Destroys two models and their context. */
void packed_destroy(thaw_model *model, thaw_model *other);

/* Trains on the batch that `seed` names, and returns the loss. */
float packed_step(thaw_model *model, int64_t batch, uint32_t seed);

void packed_predict(thaw_model *model, int64_t batch, float *scores);

/* Pages inside of the parameter's own memory that are in use. */
size_t packed_resident_pages(const thaw_parameter *parameter);

/* Asserts that the two models have the same values, which are read where they are. */
void packed_assert_same(const thaw_model *actual, const thaw_model *wanted);

/* Asserts that the large weights have left, or that they have not. */
void packed_assert_absent(thaw_model *model, bool absent);

#endif
