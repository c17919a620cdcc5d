/* Where a kernel has the elements of its weight, so that not only oneDNN can write and read its packed copy. */
#ifndef THAW_ONEDNN_PLACEMENT_H
#define THAW_ONEDNN_PLACEMENT_H

#include "onednn/kernel.h"

/* A weight has `outputs` times `row` elements in PyTorch's layout. Element k of row o is at floats
   row_at[o] + element_at[k] of the copy. */
typedef struct thaw_placement {
    size_t outputs, row;
    uint32_t *row_at, *element_at;
    size_t bytes; /* of the copy */
    bool padded;  /* it has floats without an element, which kernels may read: they must be zeros */
} thaw_placement;

/* The placement of the kernel's WEIGHTS. *placement is NULL, without an error, if they are not floats in blocks.
   Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_placement_create(thaw_context *context, const thaw_kernel *kernel, size_t outputs,
                                  thaw_placement **placement);

/* A kernel that packs (SOURCE: PyTorch's layout -> DESTINATION: the kernel's WEIGHTS), and must not outlive that
   kernel. It is for weights that are packed once: it is slower than oneDNN's, but no code is generated for it. *pack
   is NULL, without an error, if WEIGHTS are not floats in blocks. */
thaw_status thaw_placement_pack(thaw_context *context, const thaw_kernel *kernel, size_t outputs, thaw_kernel **pack);

/* Whether both have each element at the same place. NULL: there is none. */
bool thaw_placement_equal(const thaw_placement *placement, const thaw_placement *other);

void thaw_placement_release(thaw_context *context, thaw_placement *placement); /* NULL is allowed */

#endif
