/* A network of the zoo: one file each, listed in zoo.c. */
#ifndef THAW_MODELS_ZOO_H
#define THAW_MODELS_ZOO_H

#include <thaw/layers.h>
#include <thaw/zoo.h>

typedef struct thaw_network {
    thaw_zoo_entry entry;
    /* Appends layers up to the logits of `classes` classes to the model's input `*node`, and leaves them there. */
    thaw_status (*build)(thaw_model *model, size_t classes, thaw_node *node);
} thaw_network;

extern const thaw_network thaw_network_transfer_cnn;
extern const thaw_network thaw_network_cnn_8_16;
extern const thaw_network thaw_network_mlp_500;
extern const thaw_network thaw_network_mlp_512;

#endif
