/* Packed copies of a node's parameters, as its kernels read them. Plans of a model whose kernels read the same layout
   share them, so that they do not take more memory with each batch size or length of sequences. */
#ifndef THAW_PLAN_PACKED_BLOCK_H
#define THAW_PLAN_PACKED_BLOCK_H

#include <thaw/plan.h>

typedef struct thaw_packed_block {
    size_t plans;     /* that use it */
    uint64_t version; /* the parameters' versions when they were packed, or 1 of each step; 0: never */
    char *memory;     /* aligned to 64 bytes */
} thaw_packed_block;

/* Takes what blocks of another plan of the model a plan can use, where it has none yet. The other is ready to run. */
void thaw_plan_share_packed(thaw_plan *plan, const thaw_plan *other);

/* Allocates blocks for all nodes that have none yet. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_plan_reserve_packed(thaw_plan *plan);

/* Leaves all blocks; those that no plan uses any more are freed. */
void thaw_plan_release_packed(thaw_plan *plan);

#endif
