/* Six small networks of different kinds of layers, each with a group "first" to freeze. */
#ifndef THAW_TESTS_SUPPORT_SMALL_NETWORKS_H
#define THAW_TESTS_SUPPORT_SMALL_NETWORKS_H

#include <thaw/thaw.h>

enum { SMALL_NETWORK_CLASSES = 4, SMALL_NETWORK_SAMPLE = 192 /* the most values */ };

typedef struct small_network {
    const char *name;
    thaw_shape sample;
    thaw_status (*layers)(thaw_model *model, thaw_node x);
} small_network;

/* "dense", "convolutional", "residual", "recurrent", "decoder" or "adapted". */
const small_network *small_network_find(const char *name);

/* Builds it in an empty model, with Adam for all groups. Asserts nothing: any of its calls may fail. */
thaw_status small_network_build(const small_network *network, thaw_model *model);

#endif
