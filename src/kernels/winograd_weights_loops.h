/* The arithmetic of a 3x3 convolution's weight gradient by Winograd's minimal filtering, F(3x3, 4x4): Lavin and Gray,
   Fast Algorithms for Convolutional Neural Networks, 2015, arXiv 1509.09308. The output's gradient is cut into tiles of
   4x4, to each of which belongs a window of 6x6 of the source. Both are transformed to 6x6 points; the gradient is the
   sum over tiles of their products, point by point, transformed to 3x3: 36 multiplications instead of 144.

   Built for each level of the CPU's instructions. */
#ifndef THAW_KERNELS_WINOGRAD_WEIGHTS_LOOPS_H
#define THAW_KERNELS_WINOGRAD_WEIGHTS_LOOPS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/cpu.h"

enum {
    THAW_TILE = 4,
    THAW_WINDOW = 6,
    THAW_POINTS = THAW_WINDOW * THAW_WINDOW,
    THAW_TILE_PANEL = 32, /* channels side by side */
    THAW_SUMS = THAW_TILE_PANEL * THAW_TILE_PANEL
};

/* Images [image, row, column, channel], cut into tiles or into the tiles' windows. What is outside an image is zero. */
typedef struct thaw_tiling {
    const void *values;
    bool bf16; /* bfloat16, else floats */
    ptrdiff_t rows, columns;
    size_t channels;
    size_t tile_rows, tile_columns; /* of an image */
    ptrdiff_t top, left;            /* where the first one begins: 0, or minus the padding */
} thaw_tiling;

/* Transformed tiles: value (panel, point, tile, channel of the panel) is at
   panel * panel_stride + point * point_stride + tile * THAW_TILE_PANEL + channel.
   Values and strides are aligned to 64 bytes. Channels past the last are zero. Tiles, but not windows, have one more
   value after the points: the sum of the values before the transform. */
typedef struct thaw_tile_panels {
    float *values;
    size_t panel_stride, point_stride;
} thaw_tile_panels;

typedef struct thaw_winograd_weights_functions {
    /* Transform `count` tiles from number `first` on, tile first + i to place i: `windows` for the source, `tiles`
       for the output's gradient. */
    void (*windows)(const thaw_tiling *tiling, size_t first, size_t count, const thaw_tile_panels *into);
    void (*tiles)(const thaw_tiling *tiling, size_t first, size_t count, const thaw_tile_panels *into);

    /* sums[k][c] = sum over the tiles of one point of tiles[i][k] * windows[i][c], or += with `add`. For `filters`
       rows k, and possibly a few more. */
    void (*multiply)(size_t count, size_t filters, const float *tiles, const float *windows, float *sums, bool add);

    /* sums[k] = sum over i of tiles[i][k]. */
    void (*sum)(size_t count, const float *tiles, float *sums);

    /* Transforms the sums [point][k][c] of `filters` x `channels` weights to 3x3: weights[k * stride + c * 9 + i]. */
    void (*finish)(const float *sums, size_t filters, size_t channels, float *weights, size_t stride);
} thaw_winograd_weights_functions;

THAW_DECLARE_LEVELS(const thaw_winograd_weights_functions, thaw_winograd_weights_loops);

#endif
