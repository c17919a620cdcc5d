/* Stacks of layers that options describe: each with its normalisation and activation. */
#ifndef THAW_MODELS_LAYER_STACK_H
#define THAW_MODELS_LAYER_STACK_H

#include "models/zoo.h"

/* Appends the normalisation, named "norm<number>", and the activation after a layer `*node`, which becomes the last. */
thaw_status thaw_append_layer_end(thaw_model *model, const thaw_network_options *options, size_t number,
                                  thaw_node *node);

/* Appends the hidden dense layers, "dense1", "dense2" and so on, with dropout between them. Their normalisations are
   numbered after `before` others. */
thaw_status thaw_append_hidden_layers(thaw_model *model, const thaw_network_options *options, size_t before,
                                      thaw_node *node);

#endif
