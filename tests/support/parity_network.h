/* The network that tests/golden/training.py trains in PyTorch: two convolutions, max-pool, a dense layer. */
#ifndef THAW_TESTS_SUPPORT_PARITY_NETWORK_H
#define THAW_TESTS_SUPPORT_PARITY_NETWORK_H

#include "support/support.h"

enum { PARITY_STEPS = 50 };

/* Groups: conv1, conv2, dense. Their values are those of the script. */
thaw_model *support_parity_network(thaw_context *context);

/* Step number `step` from 0; the loss before it. */
double support_parity_step(thaw_model *model, uint32_t step, double rate_factor);

#endif
