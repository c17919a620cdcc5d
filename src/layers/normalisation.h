/* Shared by the normalisations; most of it by those that normalise each sample by itself. */
#ifndef THAW_LAYERS_NORMALISATION_H
#define THAW_LAYERS_NORMALISATION_H

#include <thaw/layer_module.h>

typedef struct thaw_normalisation {
    thaw_shape shape; /* of weight and bias */
    double epsilon;   /* as the user wants it */
    bool no_affine;   /* no weight and no bias */
    bool no_bias;
    thaw_initializer initializer, bias_initializer;
} thaw_normalisation;

/* For `build`: checks epsilon, and registers weight and bias. */
thaw_status thaw_normalisation_parameters(thaw_layer_builder *builder, const thaw_normalisation *wanted);

/* The same, and declares the output: the input's shape. */
thaw_status thaw_normalisation_build(thaw_layer_builder *builder, const thaw_normalisation *wanted);

/* The epsilon that the user wants. If that is 0, and the user did not ask for 0, the default. */
double thaw_normalisation_epsilon(double wanted, bool zero_too);

/* Export the normalisations. */
thaw_status thaw_batch_norm_export(const thaw_layer_export *layer);
thaw_status thaw_layer_norm_export(const thaw_layer_export *layer);
thaw_status thaw_group_norm_export(const thaw_layer_export *layer);

#endif
