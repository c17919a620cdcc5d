/* The layers that ./run bench layers measures. */
#ifndef THAW_BENCH_LAYERS_H
#define THAW_BENCH_LAYERS_H

#include <thaw/thaw.h>

typedef struct bench_layer {
    const char *name;
    thaw_shape input; /* of a sample */
    int64_t batch;
    thaw_status (*append)(thaw_model *model, thaw_node x, thaw_node *y);
} bench_layer;

extern const bench_layer bench_layers[];
extern const size_t bench_layer_count;

#endif
