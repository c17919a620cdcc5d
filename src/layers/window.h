/* The sliding window of convolutions and pooling: its options checked, its padding and output size. */
#ifndef THAW_LAYERS_WINDOW_H
#define THAW_LAYERS_WINDOW_H

#include <thaw/layer_module.h>

/* Arrays hold height, width. */
typedef struct thaw_window {
    int64_t kernel[2], stride[2], dilation[2], padding[2]; /* as the user set them, with defaults filled in */
    bool same;                                             /* pad so that the output has the input's size */
    bool ceil_mode;                                        /* round the output's size up */
    bool sequence;                                         /* of an image with one row: messages name only the width */
    int64_t padding_before[2], padding_after[2];           /* set by thaw_window_fit */
    int64_t output[2];
} thaw_window;

/* Computes padding and output for an input [H, W, C]. Sizes below 1 mean that the window does not fit. */
void thaw_window_fit(thaw_window *window, const thaw_shape *input);

/* For `build`: checks that both numbers are at least `least`, and small enough for arithmetic on them. */
thaw_status thaw_window_check_range(thaw_layer_builder *builder, const char *what, const int64_t value[2],
                                    int64_t least, bool sequence);

/* For `build`. Check that an input is an image; that the window is valid and fits into `image`, to which it is
   fitted; or both for the layer's input. */
thaw_status thaw_window_check_image(thaw_layer_builder *builder, const thaw_shape *input);
thaw_status thaw_window_check(thaw_layer_builder *builder, thaw_window *window, const thaw_shape *image);
thaw_status thaw_window_build(thaw_layer_builder *builder, thaw_window *window);

/* An operator of ONNX whose first four attributes are the window's, which was fitted. */
thaw_onnx_operator thaw_window_export(const thaw_window *window, const char *kind);

#endif
