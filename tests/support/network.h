/* A small network with five groups, and batches for it. */
#ifndef THAW_TESTS_SUPPORT_NETWORK_H
#define THAW_TESTS_SUPPORT_NETWORK_H

#include "support/support.h"

enum { NETWORK_GROUPS = 5, NETWORK_CLASSES = 4, NETWORK_SAMPLE = 9 * 7 * 2 };

/* The groups' names from the input up: conv1, conv2, dense1, dense2, dense3. */
extern const char *const network_groups[NETWORK_GROUPS];

/* Odd sizes throughout: [9, 7, 2], two convolutions, max-pool, three dense layers, softmax cross-entropy. With
   `dropout`, two dropout layers: after the pool, and before the last dense layer. */
thaw_model *support_network(thaw_context *context, bool dropout);

/* The same optimizer for all groups. */
void support_optimize(thaw_model *model, const char *description);

/* Freezes the groups whose bit is not set in `trainable` and unfreezes the others. */
void support_train_only(thaw_model *model, unsigned trainable);

/* A data set of so many samples and labels, which depend on `seed` alone. It owns them. */
thaw_dataset *support_samples(thaw_context *context, size_t count, uint32_t seed);

/* One step on the batch of `count` samples that `seed` names. */
thaw_status support_step(thaw_model *model, int64_t count, uint32_t seed, const thaw_step_options *options,
                         thaw_step_result *result);

/* All parameters, statistics too, one after the other, in memory of the caller's (free). *count is their number. */
float *support_weights(thaw_model *model, size_t *count);

#endif
