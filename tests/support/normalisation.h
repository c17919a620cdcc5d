/* Normalisation of groups of values by its definition. */
#ifndef THAW_TESTS_SUPPORT_NORMALISATION_H
#define THAW_TESTS_SUPPORT_NORMALISATION_H

#include "support/layer.h"

typedef struct support_normalisation {
    size_t samples, places, channels, groups;
    double epsilon;
} support_normalisation;

/* Runs the layer, whose parameters are a weight and a bias, a weight, or none, and compares its output and those of its
   gradients that it was asked for; works in place, too. */
void support_check_normalisation(layer *l, const support_normalisation *n);

#endif
