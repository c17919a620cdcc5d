/* Networks by description: "resnet18:size=64". */
#ifndef THAW_MODELS_DESCRIPTION_H
#define THAW_MODELS_DESCRIPTION_H

#include "models/zoo.h"

/* Finds the network and the options that a description names. Errors: THAW_NOT_FOUND, THAW_INVALID_ARGUMENT. */
thaw_status thaw_network_find(thaw_context *context, const char *description, const thaw_network *const *networks,
                              size_t count, const thaw_network **network, thaw_network_options *options);

#endif
