/* Random networks of 3 to 12 layers, some of which are frozen: the same one for the same seed. */
#ifndef THAW_TESTS_RANDOM_NETWORK_H
#define THAW_TESTS_RANDOM_NETWORK_H

#include "support/network.h"

enum { RANDOM_SIDE = 6, RANDOM_CHANNELS = 5, RANDOM_CLASSES = 3 };
enum { RANDOM_SAMPLE = RANDOM_SIDE * RANDOM_SIDE * RANDOM_CHANNELS };

/* Convolutions, normalisations, sums and activations on images of one shape, so that any two can be added; then a mean,
   a dense layer that trains, and a loss. Statistics and scales are as training might have left them. With or without
   fusion; the optimizer is SGD. */
thaw_model *random_network(thaw_context *context, uint64_t seed, bool fusion);

/* Fills all parameters but weights: statistics and scales as training might have left them. */
void random_parameters(thaw_model *model);

#endif
