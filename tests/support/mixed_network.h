/* A network of sequences with all that makes freezing hard: batch normalisation, a residual sum, an LSTM, a low-rank
   change, a mask. */
#ifndef THAW_TESTS_SUPPORT_MIXED_NETWORK_H
#define THAW_TESTS_SUPPORT_MIXED_NETWORK_H

#include "support/network.h"

enum { MIXED_GROUPS = 7, MIXED_NODES = 12, MIXED_OUTPUTS = 3 };

/* The groups, by which subsets are numbered. */
extern const char *const mixed_groups[MIXED_GROUPS];
enum { MIXED_CONV1, MIXED_NORM, MIXED_CONV2, MIXED_LORA, MIXED_LSTM, MIXED_DENSE1, MIXED_DENSE2 };

/* Its nodes in the order of the model: whose outputs they read (-1: none), and which groups are theirs, a bit each. */
typedef struct mixed_node {
    int inputs[2];
    unsigned groups;
} mixed_node;
extern const mixed_node mixed_nodes[MIXED_NODES];

/* All groups are trainable, the base of the low-rank change, too, and its B is not zero. */
thaw_model *support_mixed_network(thaw_context *context);

/* Freezes the groups whose bit is not set in `subset` and unfreezes the others. */
void support_mixed_train_only(thaw_model *model, unsigned subset);

/* Whether the mask leaves element `index` of dense1.weight. */
bool support_mixed_is_left(size_t index);

/* One step on the batch of `count` samples that `seed` names. */
thaw_status support_mixed_step(thaw_model *model, int64_t count, uint32_t seed, const thaw_step_options *options,
                               thaw_step_result *result);

#endif
