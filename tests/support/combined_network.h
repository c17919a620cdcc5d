/* The network of network.h whose layers compute with expressions: conv2 with low-rank adapters, dense1 under a mask,
   dense2 with a weight norm, and dense3 with a part of dense2's adapters in a product. */
#ifndef THAW_TESTS_COMBINED_NETWORK_H
#define THAW_TESTS_COMBINED_NETWORK_H

#include "support/network.h"

enum { COMBINED_GROUPS = NETWORK_GROUPS + 3 };

/* Those of network.h, then conv2.weight.lora, norm, shared. All are trainable at first, B and the base too. */
extern const char *const combined_groups[COMBINED_GROUPS];

thaw_model *support_combined_network(thaw_context *context);

/* Whether the mask leaves element `index` of dense1.weight. */
bool support_is_left(size_t index);

#endif
