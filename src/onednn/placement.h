/* Where a kernel has the elements of its weight, so that others than oneDNN may write and read its packed copy. */
#ifndef THAW_ONEDNN_PLACEMENT_H
#define THAW_ONEDNN_PLACEMENT_H

#include "onednn/kernel.h"

/* Of a weight of `outputs` times `row` elements in PyTorch's layout, element k of row o is at floats
   row_at[o] + element_at[k] of the copy. */
typedef struct thaw_placement {
    size_t outputs, row;
    uint32_t *row_at, *element_at;
    size_t bytes; /* of the copy */
    bool padded;  /* it has floats that no element is at, and that kernels may read: zeros */
} thaw_placement;

/* That of the kernel's WEIGHTS. *placement is NULL, and nothing is wrong, where they are no floats in blocks.
   Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_placement_create(thaw_context *context, const thaw_kernel *kernel, size_t outputs,
                                  thaw_placement **placement);

/* A kernel that packs: SOURCE: PyTorch's layout -> DESTINATION: the kernel's WEIGHTS, whose kernel it may not outlive. For
   weights that are packed once: it is slower than oneDNN's, but no code is generated for it. *pack is NULL likewise. */
thaw_status thaw_placement_pack(thaw_context *context, const thaw_kernel *kernel, size_t outputs, thaw_kernel **pack);

void thaw_placement_release(thaw_context *context, thaw_placement *placement); /* NULL is allowed */

#endif
