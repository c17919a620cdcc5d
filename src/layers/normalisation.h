/* What layers that normalise each sample by itself have in common. */
#ifndef THAW_LAYERS_NORMALISATION_H
#define THAW_LAYERS_NORMALISATION_H

#include <thaw/module.h>

typedef struct thaw_normalisation {
    thaw_shape shape; /* of weight and bias */
    double epsilon;   /* as the user wants it; 0: 1e-5 */
    bool no_affine;   /* no weight and no bias */
    bool no_bias;
} thaw_normalisation;

/* For `build`: checks epsilon, registers weight and bias, and declares the output: the input's shape. */
thaw_status thaw_normalisation_build(thaw_layer_builder *builder, const thaw_normalisation *wanted);

/* With the default filled in. */
double thaw_normalisation_epsilon(double wanted);

#endif
