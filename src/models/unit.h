/* What backbones are made of: a convolution, its normalisation and an activation. */
#ifndef THAW_MODELS_UNIT_H
#define THAW_MODELS_UNIT_H

#include <thaw/layers.h>

typedef struct thaw_unit {
    const char *convolution;   /* "conv1" */
    const char *normalisation; /* "bn1"; NULL: none, and the convolution has a bias, of zeros at first */
    int64_t filters;
    int64_t kernel; /* odd; padded with half of it */
    int64_t stride; /* 0: 1 */
    bool depthwise; /* as many groups as channels */
    thaw_initializer initializer;
    thaw_status (*activation)(thaw_model *model, thaw_node input, const thaw_simple_options *options,
                              thaw_node *output); /* NULL: none */
} thaw_unit;

/* Appends the unit's layers to `*node`, and leaves the last there; `path` comes before their names: "layer1.0.". */
thaw_status thaw_append_unit(thaw_model *model, const char *path, const thaw_unit *unit, thaw_node *node);

#endif
