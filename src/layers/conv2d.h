/* The 2-D convolution, for layers that are one in another form. */
#ifndef THAW_LAYERS_CONV2D_H
#define THAW_LAYERS_CONV2D_H

#include <thaw/layer_module.h>
#include <thaw/layers.h>

/* Its options are thaw_conv2d_options. */
extern const thaw_layer_module thaw_conv2d_module;

/* Checks the options, registers the parameters and declares the output, for an input with the shape of `image`.
   `sequence`: the image is one row, and weight, output and messages have no height. */
thaw_status thaw_conv2d_build(thaw_layer_builder *builder, const thaw_conv2d_options *options, const thaw_shape *image,
                              bool sequence);

/* Exports the layer, as thaw_conv2d_build builds it. */
thaw_status thaw_conv2d_export(const thaw_layer_export *layer, const thaw_conv2d_options *options,
                               const thaw_shape *image, bool sequence);

#endif
