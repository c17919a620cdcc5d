/* What backbones are made of: a convolution, its normalisation and an activation. */
#ifndef THAW_MODELS_UNIT_H
#define THAW_MODELS_UNIT_H

#include <thaw/layers.h>

typedef struct thaw_unit {
    const char *convolution;   /* "conv1" */
    const char *normalisation; /* "bn1"; NULL: none */
    int64_t filters;
    int64_t kernel; /* odd; padded with half of it */
    int64_t stride; /* 0: 1 */
    bool depthwise; /* as many groups as channels */
    bool bias;      /* of the convolution; zeros at first */
    thaw_initializer initializer;
    thaw_status (*activation)(thaw_model *model, thaw_node input, const thaw_simple_options *options,
                              thaw_node *output); /* NULL: none */
} thaw_unit;

/* Appends the layers of one unit after the other to `*node`, and leaves the last there; `path` comes before their names:
   "layer1.0.". */
thaw_status thaw_append_units(thaw_model *model, const char *path, const thaw_unit *units, size_t count,
                              thaw_node *node);

/* Appends the mean over each channel, dropout of that rate if it is above 0, and the classifier. */
thaw_status thaw_append_head(thaw_model *model, double dropout, const thaw_dense_options *classifier, thaw_node *node);

/* The channels of a node of shape [H, W, C]. */
int64_t thaw_channels_of(const thaw_model *model, thaw_node node);

#endif
