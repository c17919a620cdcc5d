/* The building block of backbones: a convolution, its normalisation and an activation. */
#ifndef THAW_MODELS_UNIT_H
#define THAW_MODELS_UNIT_H

#include <thaw/layers.h>

typedef struct thaw_unit {
    const char *convolution;   /* "conv1" */
    const char *normalisation; /* "bn1"; NULL if none */
    int64_t filters;
    int64_t kernel; /* odd; padded with half of it */
    int64_t stride; /* 0 means 1 */
    bool depthwise; /* one group per channel */
    bool bias;      /* of the convolution; initially zero */
    thaw_initializer initializer;
    thaw_status (*activation)(thaw_model *model, thaw_node input, const thaw_simple_options *options,
                              thaw_node *output); /* NULL if none */
} thaw_unit;

/* Appends the layers of one unit to `*node`, which becomes the last layer. `path` prefixes their names: "layer1.0.". */
thaw_status thaw_append_units(thaw_model *model, const char *path, const thaw_unit *units, size_t count,
                              thaw_node *node);

/* The channels of a node of shape [H, W, C]. */
int64_t thaw_channels_of(const thaw_model *model, thaw_node node);

#endif
