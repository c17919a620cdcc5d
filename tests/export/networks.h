/* Small networks in which layers have the options that exporting them depends on. */
#ifndef THAW_TESTS_EXPORT_NETWORKS_H
#define THAW_TESTS_EXPORT_NETWORKS_H

#include "support/support.h"

typedef struct exported_network {
    const char *name;
    thaw_shape sample;
    bool ids; /* samples are ids below EXPORTED_IDS, else any numbers */
    thaw_status (*append)(thaw_model *model, thaw_node x, thaw_node *y);
} exported_network;

enum { EXPORTED_IDS = 7 };

/* The networks of the layers of transformers, which come last. */
extern const exported_network exported_token_networks[];
extern const size_t exported_token_network_count;

/* Numbers in a fixed order. */
thaw_status exported_constant(thaw_model *model, const thaw_shape *shape, thaw_node *y);

size_t exported_network_count(void);
const exported_network *exported_network_at(size_t index);

/* Builds network `index`. Statistics, scales and shifts are as training might have left them. */
thaw_model *exported_network_build(thaw_context *context, size_t index);

#endif
