/* Random networks of toy layers, and what they compute by definition, in double precision. */
#ifndef THAW_TESTS_DRAWN_NETWORK_H
#define THAW_TESTS_DRAWN_NETWORK_H

#include "support/toy_network.h"

/* A batch fills a cache line to its end: whoever writes too much hits another buffer. */
enum { DRAWN_MOST = 13, DRAWN_WIDTH = 4, DRAWN_BATCH = 4, DRAWN_COUNT = DRAWN_WIDTH * DRAWN_BATCH };

typedef struct drawn_network {
    size_t count; /* nodes: input, 3 to 10 layers, loss */
    const thaw_layer_module *module[DRAWN_MOST];
    thaw_node inputs[DRAWN_MOST][2];
    double factor[DRAWN_MOST];
    bool frozen[DRAWN_MOST], used[DRAWN_MOST];
    float samples[DRAWN_COUNT], targets[DRAWN_COUNT];
} drawn_network;

/* A number in [0, below). */
size_t draw_number(uint64_t *state, size_t below);

/* A network of layers from this list, which depends on the seed alone. */
drawn_network draw_network(uint64_t seed, const thaw_layer_module *const *from, size_t kind_count);

size_t drawn_inputs(const thaw_layer_module *module);
bool drawn_has_factor(const thaw_layer_module *module);

/* Whether something that is used trains. */
bool drawn_trains(const drawn_network *n);

/* The loss; writes the output node's values. */
double drawn_loss(const drawn_network *n, double outputs[DRAWN_COUNT]);

/* The gradient of a node's factor, by a finite difference. */
double drawn_gradient(const drawn_network *n, size_t node);

/* Builds and freezes it, and notes the factors. */
thaw_model *drawn_model(thaw_context *context, drawn_network *n);

thaw_group *drawn_group(thaw_model *model, size_t node);

#endif
