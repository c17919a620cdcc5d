/* Normalisation of each sample by itself: (x - mean) / sqrt(variance + epsilon) * weight + bias, with mean and biased
   variance over a group of its values. Layers that do it choose the groups. */
#ifndef THAW_LAYERS_NORMALISATION_H
#define THAW_LAYERS_NORMALISATION_H

#include <thaw/module.h>

/* A batch as [samples, places, channels]; channels fall into groups of equal size, of which each is normalised over all
   places. Weight and bias, if the layer has them its first parameters, are of one sample's channels. */
typedef struct thaw_normalisation {
    size_t samples, places, channels, groups;
    double epsilon; /* 0: 1e-5 */
} thaw_normalisation;

/* For `build`: checks epsilon, and registers the parameters. */
typedef struct thaw_normalisation_parameters {
    thaw_shape shape;
    double epsilon;
    bool no_affine, no_bias;
} thaw_normalisation_parameters;

thaw_status thaw_normalisation_build(thaw_layer_builder *builder, const thaw_normalisation_parameters *parameters);

/* For `prepare`; the other functions are the module's. */
thaw_status thaw_normalisation_prepare(const thaw_layer_demand *demand, const thaw_normalisation *problem,
                                       thaw_layer_needs *needs);
thaw_status thaw_normalisation_forward(const thaw_layer_run *run);
thaw_status thaw_normalisation_backward(const thaw_layer_run *run);
void thaw_normalisation_release(thaw_context *context, void *state);

#endif
