/* What the kernels of a layer read instead of its weight, parameter 0: copies in their layouts, with a channel map
   folded in if one follows. Copies of a frozen weight are in packed memory, and may replace the weight
   (packed_weight.h). A weight that trains differs in each step: its copies are made in scratch memory, which all
   layers share, just before a kernel reads them. */
#ifndef THAW_LAYERS_WEIGHT_COPIES_H
#define THAW_LAYERS_WEIGHT_COPIES_H

#include "layers/fold.h"
#include "layers/packed_weight.h"

typedef struct thaw_weight_copies {
    thaw_fold fold;
    thaw_dtype precision;
    bool folds;        /* a channel map follows, and is folded into weight and bias */
    bool passing;      /* the weight trains: copies are made in each step */
    bool keeps_folded; /* a kernel reads the folded weight in its own layout, in packed memory */
    thaw_kernel *pack_forward, *pack_backward;          /* owned; NULL: the kernel reads the layout of the weight */
    size_t backward_offset, bias_offset, weight_offset; /* in packed memory; forward's copy is first */
    thaw_packed_weight *packed;                         /* NULL: the weight stays beside its copies */
} thaw_weight_copies;

/* Decides on the copies for these kernels. The caller has set the packing kernels. `backward` may be NULL. The
   caller releases the copies, even on failure. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_weight_copies_place(const thaw_layer_demand *demand, const thaw_kernel *forward,
                                     const thaw_kernel *backward, thaw_weight_copies *copies);
void thaw_weight_copies_release(thaw_context *context, thaw_weight_copies *copies);

/* For needs->packed_bytes; and the most scratch that making the copies and running the kernels takes. */
size_t thaw_weight_copies_packed_bytes(const thaw_weight_copies *copies);
size_t thaw_weight_copies_scratch_bytes(const thaw_weight_copies *copies, const thaw_kernel *forward,
                                        const thaw_kernel *backward);

/* Whether both write the same packed memory, so that plans can share it. */
bool thaw_weight_copies_alike(const thaw_weight_copies *copies, const thaw_weight_copies *other);

/* For the module's `pack` and `unpack`. */
thaw_status thaw_weight_copies_pack(const thaw_weight_copies *copies, const thaw_layer_run *run);
void thaw_weight_copies_unpack(const thaw_weight_copies *copies, const thaw_layer_run *run, size_t first, size_t count,
                               float *values);

/* What one kernel reads, and the rest of scratch, for itself. */
typedef struct thaw_weight_copy {
    const float *weight;
    void *scratch;
} thaw_weight_copy;

thaw_status thaw_weight_copy_for_forward(const thaw_weight_copies *copies, const thaw_layer_run *run,
                                         thaw_weight_copy *copy);
thaw_status thaw_weight_copy_for_backward(const thaw_weight_copies *copies, const thaw_layer_run *run,
                                          thaw_weight_copy *copy);

/* Parameter 1, with the channel map folded in if there is one; NULL: no bias. */
const float *thaw_weight_copies_bias(const thaw_weight_copies *copies, const thaw_layer_run *run);

#endif
