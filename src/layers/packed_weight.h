/* A frozen weight in its kernels' packed copies alone. Packing writes the copies without oneDNN, some rows at a time, and
   lets go of the rows behind it, so that at no time both are in memory as a whole. An exact inverse writes the weight back:
   where a channel map was folded in, s W has come from one or two numbers: packing takes notes of which, a bit for each of
   which there are two. Memory is set aside for a bit an element, and what is left over is given back. Rows that it cannot
   restore to the bit, those of a scale of zero for one, stay where they are. */
#ifndef THAW_LAYERS_PACKED_WEIGHT_H
#define THAW_LAYERS_PACKED_WEIGHT_H

#include <thaw/layer_capabilities.h>
#include <thaw/layer_module.h>

#include "onednn/placement.h"

typedef struct thaw_packed_weight {
    size_t outputs, row, rows_at_once;
    bool scaled;                                      /* by run->capabilities->channel_scale */
    thaw_placement *forward, *backward;               /* backward NULL: there is no such copy */
    size_t forward_offset, backward_offset;           /* in packed memory */
    size_t scale_offset, stays_offset, starts_offset; /* likewise: the notes of rows, and where those begin */
    size_t choices_offset;                            /* of their elements */
} thaw_packed_weight;

/* Of the weight of one or two kernels, `backward` may be NULL, that are packed to these offsets; notes begin at
   notes_offset. *packed is NULL, and nothing is wrong, where the kernels' layouts do not allow it. Errors:
   THAW_OUT_OF_MEMORY. */
typedef struct thaw_packed_weight_options {
    size_t outputs, row;
    bool scaled;
    const thaw_kernel *forward, *backward;
    size_t forward_offset, backward_offset, notes_offset;
} thaw_packed_weight_options;

thaw_status thaw_packed_weight_create(thaw_context *context, const thaw_packed_weight_options *options,
                                      thaw_packed_weight **packed);

/* Of the notes, at the most. */
size_t thaw_packed_weight_bytes(const thaw_packed_weight *packed);

void thaw_packed_weight_pack(const thaw_packed_weight *packed, const thaw_layer_run *run);
void thaw_packed_weight_unpack(const thaw_packed_weight *packed, const thaw_layer_run *run, size_t first, size_t count,
                               float *values);

void thaw_packed_weight_release(thaw_context *context, thaw_packed_weight *packed); /* NULL is allowed */

#endif
