/* The head of a network of the zoo: what comes after its features. */
#ifndef THAW_MODELS_HEAD_H
#define THAW_MODELS_HEAD_H

#include "models/zoo.h"

/* Appends dropout, if the options' rate is above 0. */
thaw_status thaw_append_network_dropout(thaw_model *model, const thaw_network_options *options, thaw_node *node);

/* Appends dropout and head to the features `*node`, which becomes the outputs; for THAW_HEAD_NONE nothing. */
thaw_status thaw_append_network_head(thaw_model *model, const thaw_network *network,
                                     const thaw_network_options *options, thaw_node *node);

#endif
