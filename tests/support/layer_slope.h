/* Finite differences of a single layer. */
#ifndef THAW_TESTS_SUPPORT_LAYER_SLOPE_H
#define THAW_TESTS_SUPPORT_LAYER_SLOPE_H

#include "support/layer.h"

/* Moves a value of the layer by `step` up and down: the difference quotient, by this value, of the sum of all outputs
   times their gradients. The value is as it was afterwards. */
float layer_slope(layer *l, float *value, float step);

#endif
