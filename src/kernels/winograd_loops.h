/* The transforms of Winograd's convolution F(2x2, 3x3), after Lavin and Gray 2015, arXiv 1509.09308. Built for each
   level of the CPU's instructions.

   A map is cut into tiles of 2x2. Each is computed from a window of 4x4 pixels of the image; windows overlap by 2. A
   transformed window has 16 values, as have a transformed 3x3 kernel and a transformed tile. The tile's values are the
   products of the other two, summed over the channels. Value i of channel c of tile t is
   values[i * plane + t * stride + c]. Transforms only add, so that a value does not depend on the place of its tile and
   channel. */
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
    ptrdiff_t before[2]; /* pixels of the first window before the image; negative: it begins inside */
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
    /* Transforms windows [first, first + count) to tiles 0 .. count - 1 of `into`. */
    void (*windows)(const thaw_winograd_image *image, size_t first, size_t count, const thaw_winograd_values *into);

    /* Transforms tiles 0 .. count - 1 of `sums`, of a panel of channels from `channel` on, to tiles [first, first +
       count). */
    void (*tiles)(const thaw_winograd_map *map, size_t first, size_t count, size_t channel,
                  const thaw_winograd_values *sums);

    /* Transforms one input channel's kernels for a panel of output channels, taps[9][THAW_PANEL_WIDTH]. Value i is
       written to values + i * plane. */
    void (*kernels)(const float *taps, float *values, size_t plane);

    /* The same for two input channels in bfloat16, whose values are side by side: from taps[2][9][THAW_PANEL_WIDTH]
       to values[i * plane + 2 * u + channel]. */
    void (*bf16_kernels)(const float *taps, thaw_bfloat16 *values, size_t plane);
} thaw_winograd_functions;

/* Level V4_BF16 rounds subnormal numbers to 0. */
THAW_DECLARE_LEVELS_BF16(const thaw_winograd_functions, thaw_winograd_loops);

#endif
