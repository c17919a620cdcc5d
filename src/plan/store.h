/* A model's plans, and what its training plans share: the sum of gradients over shards, and the list of updates. */
#ifndef THAW_PLAN_STORE_H
#define THAW_PLAN_STORE_H

#include "plan/plan.h"

/* The plan for the model's feature cache budget: compiled if need be, ready to run, and bound to the model's arena. */
thaw_status thaw_plan_find(thaw_model *model, int64_t batch, bool training, thaw_plan **plan);

/* Compiles a plan that the model does not keep, to look at: it may suppose parameters to be frozen. It cannot run. The
   caller releases it. Errors: those of the passes. */
thaw_status thaw_plan_suppose(thaw_model *model, const thaw_plan_request *request, thaw_plan **plan);

/* The plan that evaluates sequences of a length; 0: the whole length. Errors: those of thaw_plan_find. */
thaw_status thaw_plan_find_length(thaw_model *model, int64_t batch, int64_t length, thaw_plan **plan);

/* The plan that evaluates behind the cut that a feature cache with this budget needs. The prefix is what is frozen
   below the lowest trainable parameter, as in training. Errors: those of thaw_plan_find. */
thaw_status thaw_plan_find_test(thaw_model *model, int64_t batch, int64_t length, const thaw_cache_budget *budget,
                                thaw_plan **plan);

/* The training plan for shards of `batch` samples, of which a step has `range.shards`, and sequences of `length` (0:
   the whole length). It also makes the model's sum of gradients for them. Errors: those of thaw_plan_find. */
thaw_status thaw_plan_find_shard(thaw_model *model, int64_t batch, int64_t length, thaw_shard_range range,
                                 thaw_plan **plan);

/* The model's sum of gradients, made by that. */
thaw_shard_sum *thaw_plan_shard_sum(const thaw_model *model);

/* The bytes of gradients and running statistics that shards and ranks add up. */
size_t thaw_plan_shared_bytes(const thaw_plan *plan);

/* The bytes of sums that each shard sends to every other one in the middle of a step. */
size_t thaw_plan_synced_bytes(const thaw_plan *plan);

/* Whether the node's kernels compute with the sums of all shards, where they follow their batches. */
bool thaw_plan_shares_sums(const thaw_plan *plan, thaw_node node);

/* Whether gradients depend on other shards' while backward runs: then they are of the whole step's loss, not of the
   shard's. */
bool thaw_plan_shares_gradients(const thaw_plan *plan);

/* The bytes of the sum of gradients over a step's shards. */
size_t thaw_plan_shard_bytes(const thaw_plan *plan);

/* Lists what the plan's steps update. Allocates gradients and optimizer state of what trains, and frees all other
   gradients. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_plan_list_updates(const thaw_plan *plan, thaw_update_list **updates);

/* What training plans update; NULL before there is one. */
thaw_update_list *thaw_plan_updates(const thaw_model *model);

#endif
