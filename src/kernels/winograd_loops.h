/* The transforms of Winograd's convolution F(2x2, 3x3), after Lavin and Gray 2015, arXiv 1509.09308; built for each level
   of the CPU's instructions.

   A map of height x width is cut into tiles of 2x2, each of which comes of a window of 4x4 pixels of the image; windows
   overlap by 2. Transformed, a window is 16 values, and so are a kernel of 3x3 and the tile: the tile's are the products
   of the other two, summed over the channels. Value i of tile t's channel c lies at values[i * plane + t * stride + c].
   Transforms only add, so that a value is the same wherever its tile and its channel lie. */
#ifndef THAW_KERNELS_WINOGRAD_LOOPS_H
#define THAW_KERNELS_WINOGRAD_LOOPS_H

#include <thaw/layer_capabilities.h>
#include <thaw/runtime.h>
#include <thaw/tensor.h>

#include "core/cpu.h"

enum { THAW_WINOGRAD_VALUES = 16 };

typedef struct thaw_winograd_values {
    void *values;  /* floats; bfloat16 of windows of a bfloat16 image */
    size_t plane;  /* from one value of a tile to its next; a multiple of 16, as is `stride` */
    size_t stride; /* from a tile to the next; room for whole vectors of channels */
} thaw_winograd_values;

/* Images [height, width, channels], cut into windows; tiles are numbered through all images, row by row. */
typedef struct thaw_winograd_image {
    size_t size[2], channels;
    ptrdiff_t before[2]; /* how far the first window begins outside of the image; negative: inside */
    size_t tiles[2];     /* of an image */
    const void *pixels;
    const void *zeros; /* a pixel outside of the image */
    bool bf16;         /* pixels and values are bfloat16, otherwise floats */
} thaw_winograd_image;

/* Maps [height, width, channels], made of tiles, of which the last may lie half outside. */
typedef struct thaw_winograd_map {
    size_t size[2], channels;
    size_t tiles[2];
    const float *bias;          /* NULL: none */
    const void *residual;       /* to be added, laid out as the map; may be the map itself; NULL: none */
    thaw_activation activation; /* none, ReLU or ReLU6 */
    void *pixels;
    bool bf16; /* pixels and residual are bfloat16, otherwise floats */
} thaw_winograd_map;

typedef struct thaw_winograd_functions {
    /* Windows [first, first + count), the first of them to tile 0 of `into`. */
    void (*windows)(const thaw_winograd_image *image, size_t first, size_t count, const thaw_winograd_values *into);

    /* Tiles [first, first + count), of a panel of the channels from `channel` on, from tile 0 of `sums`. */
    void (*tiles)(const thaw_winograd_map *map, size_t first, size_t count, size_t channel,
                  const thaw_winograd_values *sums);

    /* One input channel's kernels for a panel of output channels, taps[9][THAW_PANEL_WIDTH], to value i at values + i * plane. */
    void (*kernels)(const float *taps, float *values, size_t plane);

    /* Those of two input channels, each value of both side by side in bfloat16: taps[2][9][THAW_PANEL_WIDTH] to
       values[i * plane + 2 * u + channel]. */
    void (*bf16_kernels)(const float *taps, thaw_bfloat16 *values, size_t plane);
} thaw_winograd_functions;

/* V4_BF16 rounds denormals to 0. */
THAW_DECLARE_LEVELS_BF16(const thaw_winograd_functions, thaw_winograd_loops);

#endif
