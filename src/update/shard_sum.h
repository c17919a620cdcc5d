/* The sum of a step's gradients over its shards, and of the statistics that each shard gives: in a binary tree over the
   shards' indices that does not depend on how many of them one process holds.

   A node of the tree is a block of 2^k shards whose first index is a multiple of 2^k, the sum of its two halves; what
   is left at the end, where the number of shards is no power of two, is added from the right: ((0 + 1) + (2 + 3)) + 4.
   The gradients of the next shard go into a level of memory, and full blocks are added up as soon as they are complete,
   so that there are never more levels than bits in the number of shards. Where each of several ranks has one shard,
   there are no levels: they exchange the gradients from where backward wrote them. */
#ifndef THAW_UPDATE_SHARD_SUM_H
#define THAW_UPDATE_SHARD_SUM_H

#include <thaw/distributed.h>

#include "core/shard_part.h"
#include "update/shard_outcomes.h"
#include "update/update.h"

typedef struct thaw_shard_sum thaw_shard_sum;

/* The levels that a process needs for its shards. */
size_t thaw_shard_levels(thaw_shard_range range);

/* Allocates a sum over the gradients of `list`, which must outlive it, and statistics of these sizes. Errors:
   THAW_OUT_OF_MEMORY. */
thaw_status thaw_shard_sum_create(thaw_context *context, const thaw_update_list *list, const size_t *statistics,
                                  size_t statistic_count, thaw_shard_range range, thaw_shard_sum **sum);
void thaw_shard_sum_release(thaw_shard_sum *sum);

/* Whether it was made for this list and these shards. */
bool thaw_shard_sum_is_for(const thaw_shard_sum *sum, const thaw_update_list *list, thaw_shard_range range);

thaw_shard_range thaw_shard_sum_range(const thaw_shard_sum *sum);

/* The bytes of gradients and statistics that this rank sends to others in a step. */
size_t thaw_shard_sum_sent_bytes(const thaw_shard_sum *sum);

/* Begins a step: nothing has been added. `largest` and `sums`: see thaw_shard_factors_of. */
void thaw_shard_sum_begin(thaw_shard_sum *sum, size_t largest, bool sums);

/* Adds the next shard of this process: its gradients times `factor`, and its statistics. */
void thaw_shard_sum_add(thaw_shard_sum *sum, float *const *statistics, float factor);

/* Adds a shard without samples: zeros. */
void thaw_shard_sum_add_nothing(thaw_shard_sum *sum);

/* On several ranks, in the last shard of this one: gradient `tensor` of the list is final. As soon as all of a bucket
   are, adds the shard to the bucket's sum, as thaw_shard_sum_add does to the rest, and starts to exchange it. Errors:
   THAW_IO_ERROR. */
thaw_status thaw_shard_sum_send(thaw_shard_sum *sum, const thaw_communicator *communicator, size_t tensor,
                                float *const *statistics, float factor);

/* In the middle of forward or backward: shares this rank's piece of `all`, which has one of so many bytes for each
   rank, by rank. Waits for the buckets that are under way, since exchanges end in the order in which they have
   started. Errors: THAW_IO_ERROR. */
thaw_status thaw_shard_sum_share(thaw_shard_sum *sum, const thaw_communicator *communicator, void *all, size_t bytes);

/* Instead of thaw_shard_sum_send, for a rank that has nothing to add, or has failed: makes the same exchanges with what
   is there. Errors: THAW_IO_ERROR. */
thaw_status thaw_shard_sum_pass(thaw_shard_sum *sum, const thaw_communicator *communicator, size_t tensor);

/* On several ranks, after this rank's shards or the failure of one, for which `status` stands: exchanges what is left,
   adds up the gradients and statistics of all ranks, and shares what their shards came to. Gradients are then other
   than 0 in any row, also after an error. Errors: `status`; the first rank's that has failed, with its message;
   THAW_IO_ERROR. */
thaw_status thaw_shard_sum_finish(thaw_shard_sum *sum, const thaw_communicator *communicator, thaw_status status);

/* Stores the sum, after all shards: gradients and statistics, each times its factor (thaw_shard_factors_of). All rows of
   gradients may be other than 0 then. */
void thaw_shard_sum_store(thaw_shard_sum *sum, float *const *statistics);

/* Whether several ranks have found all that they added up to be finite. */
bool thaw_shard_sum_is_finite(const thaw_shard_sum *sum);

/* Of each shard of the step, by index: set before the shard is added. */
thaw_shard_outcome *thaw_shard_sum_outcomes(thaw_shard_sum *sum);

/* Of the whole step, after all shards. */
thaw_shard_outcome thaw_shard_sum_outcome(const thaw_shard_sum *sum);

#endif
