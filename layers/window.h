/* The sliding window of convolutions and pooling: its options checked, its padding and output size. */
#ifndef THAW_LAYERS_WINDOW_H
#define THAW_LAYERS_WINDOW_H

#include <thaw/module.h>

/* Arrays hold height, width. */
typedef struct thaw_window {
    int64_t kernel[2], stride[2], dilation[2], padding[2]; /* what the user wants, defaults filled in */
    bool same;                                             /* pad so that the output has the input's size */
    bool ceil_mode;                                        /* round the output's size up */
    int64_t padding_before[2], padding_after[2];           /* what that comes to: thaw_window_fit fills these */
    int64_t output[2];
} thaw_window;

/* Computes padding and output for an input [H, W, C]. Sizes below 1 mean that the window does not fit. */
void thaw_window_fit(thaw_window *window, const thaw_shape *input);

/* For `build`: checks the layer's input and the window, and fits it. */
thaw_status thaw_window_build(thaw_layer_builder *builder, thaw_window *window);

#endif
