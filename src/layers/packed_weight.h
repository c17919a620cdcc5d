/* Keeps a frozen weight only in packed form; restores it bit-exactly. Packing writes the kernels' copies without
   oneDNN, a few rows at a time, and releases the rows behind it, so that the weight and its copies are never both in
   memory as a whole.

   If a channel map was folded in, an element of s W comes from one number or from either of two: packing notes
   which, in a bit for each element that has two. Memory is reserved for a bit per element, and the unused part is
   released. Rows that cannot be restored bit-exactly, such as those with a scale of zero, stay where they are. */
#ifndef THAW_LAYERS_PACKED_WEIGHT_H
#define THAW_LAYERS_PACKED_WEIGHT_H

#include <thaw/layer_capabilities.h>
#include <thaw/layer_module.h>

#include "onednn/placement.h"

typedef struct thaw_packed_weight {
    size_t outputs, row, rows_at_once;
    bool scaled;                                      /* by run->capabilities->channel_scale */
    thaw_placement *forward, *backward;               /* backward NULL: no such copy */
    size_t forward_offset, backward_offset;           /* in packed memory */
    size_t scale_offset, stays_offset, starts_offset; /* the same: notes on rows, and where their choices begin */
    size_t choices_offset;                            /* notes on elements: which of two numbers */
} thaw_packed_weight;

/* The weight of one or two kernels, whose copies are at these offsets of packed memory. Notes begin at notes_offset.
   `backward` may be NULL. *packed is NULL, without an error, if the layouts of the kernels do not allow it. Errors:
   THAW_OUT_OF_MEMORY. */
typedef struct thaw_packed_weight_options {
    size_t outputs, row;
    bool scaled;
    const thaw_kernel *forward, *backward;
    size_t forward_offset, backward_offset, notes_offset;
} thaw_packed_weight_options;

thaw_status thaw_packed_weight_create(thaw_context *context, const thaw_packed_weight_options *options,
                                      thaw_packed_weight **packed);

/* Bytes of the notes, at most. */
size_t thaw_packed_weight_bytes(const thaw_packed_weight *packed);

/* Whether they write the same packed memory. NULL: there is none. */
bool thaw_packed_weight_equal(const thaw_packed_weight *packed, const thaw_packed_weight *other);

void thaw_packed_weight_pack(const thaw_packed_weight *packed, const thaw_layer_run *run);
void thaw_packed_weight_unpack(const thaw_packed_weight *packed, const thaw_layer_run *run, size_t first, size_t count,
                               float *values);

void thaw_packed_weight_release(thaw_context *context, thaw_packed_weight *packed); /* NULL is allowed */

#endif
