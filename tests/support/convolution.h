/* Convolutions by their definition: the sums of products that a layer's output and gradients must be. */
#ifndef THAW_TESTS_SUPPORT_CONVOLUTION_H
#define THAW_TESTS_SUPPORT_CONVOLUTION_H

#include "support/layer.h"

/* From an image [batch, input, channels] to a map [batch, output, filters]; arrays hold height, width. */
typedef struct support_convolution {
    int64_t batch, input[2], channels, output[2], filters, groups;
    int64_t kernel[2], stride[2], dilation[2], padding[2]; /* padding above and left */
} support_convolution;

/* The map's size with this padding above and left, and `after` below and right. */
int64_t support_convolved(const support_convolution *c, int axis, int64_t after);

/* Runs the layer, and compares its output and those of its gradients that it was asked for. `transposed`: it goes from
   the map to the image. */
void support_check_convolution(layer *l, const support_convolution *c, bool transposed, bool relu);

#endif
