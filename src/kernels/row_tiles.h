/* Products of rows with a packed weight, in tiles whose sums stay in registers. Built for each level of the CPU's
   instructions.

   A weight [outputs][inputs] is packed into panels, [panels][inputs][panel], with zeros past the last output; the
   level tells how wide a panel is. The terms of an element are added in the order of inputs, in parts of THAW_PART,
   and then the parts in their order: the bits do not depend on what else is computed. */
#ifndef THAW_KERNELS_ROW_TILES_H
#define THAW_KERNELS_ROW_TILES_H

#include <thaw/layer_capabilities.h>
#include <thaw/runtime.h>
#include <thaw/tensor.h>

#include "core/cpu.h"

enum {
    THAW_PART = 256,
    THAW_BLOCK_ROWS = 144,   /* multiplied with a group of panels at a time */
    THAW_GROUP_COLUMNS = 128 /* of a group of panels */
};

typedef struct thaw_row_product_job {
    size_t inputs, outputs;
    const float *source;        /* [rows][inputs] */
    const float *panels, *bias; /* bias NULL: none */
    const float *residual;      /* [rows][outputs], NULL: none; may be `destination` */
    thaw_activation activation; /* none, ReLU or ReLU6 */
    float *destination;         /* [rows][outputs] */
} thaw_row_product_job;

typedef struct thaw_row_range {
    size_t begin, end;
} thaw_row_range;

typedef struct thaw_row_tiles_functions {
    size_t panel;     /* columns of a panel */
    size_t tile_rows; /* of the largest tiles of two panels */

    /* Some rows by some panels. `sums`, of thaw_row_tiles_floats, is aligned to 64 bytes. */
    void (*multiply)(const thaw_row_product_job *job, thaw_row_range rows, thaw_row_range panels, float *sums);

    /* Packs some panels of a weight. */
    void (*pack)(const float *weight, size_t inputs, size_t outputs, thaw_row_range panels, float *into);
} thaw_row_tiles_functions;

/* The sums that a thread needs for up to `rows` rows. */
static inline size_t thaw_row_tiles_floats(size_t rows)
{
    const size_t block = rows < THAW_BLOCK_ROWS ? rows : THAW_BLOCK_ROWS;
    return block * THAW_GROUP_COLUMNS;
}

THAW_DECLARE_LEVELS(const thaw_row_tiles_functions, thaw_row_tiles);

#endif
