/* A step's batch in shards: cutting it, and running them. */
#ifndef THAW_TRAIN_SHARDS_H
#define THAW_TRAIN_SHARDS_H

#include "train/batch.h"

/* The shards of a step that this process computes, of so many; 0: one for each rank. `communicator`: NULL alone. */
thaw_shard_range thaw_shard_range_of(size_t shards, const thaw_communicator *communicator);

/* Whether a step of the model may have so many shards, and the communicator can be used. Errors:
   THAW_INVALID_ARGUMENT. */
thaw_status thaw_check_shards(const thaw_model *model, int64_t shards, const thaw_communicator *communicator);

/* The plan for the largest shard of a step of this many samples, with sequences of `length` (0: the whole length).
   Compiles that of smaller shards, too, and makes the memory of all, so that the step does not. Errors: those of
   thaw_plan_find. */
thaw_status thaw_shard_plan(thaw_model *model, size_t samples, int64_t length, thaw_shard_range range,
                            thaw_plan **plan);

/* How many shards of this process are in memory at the same time: 1, or all if they run side by side. */
size_t thaw_shards_in_memory(const thaw_plan *plan, thaw_shard_range range);

/* A step that is being taken. */
typedef struct thaw_taken_step {
    const thaw_training_batch *batch;
    uint64_t seed;
    const thaw_communicator *communicator; /* NULL: no other ranks */
    double start;                          /* of the phase that is being timed */
} thaw_taken_step;

/* Points a plan at a part of the batch, whose shard is the next that it runs; plan->program.step has been set as far as
   it does not follow from these. Errors: those of thaw_set_targets. */
thaw_status thaw_feed_part(thaw_plan *plan, const thaw_taken_step *taken, thaw_shard_part part);

/* Runs what is frozen below all that trains, and fills the feature cache. Errors: those of thaw_step. */
thaw_status thaw_run_part_prefix(thaw_plan *plan, const thaw_training_batch *batch);

/* What forward of a part came to, right after it. Errors: THAW_NOT_FINITE (the loss). */
thaw_status thaw_find_outcome(const thaw_plan *plan, thaw_shard_outcome *outcome);

/* All forward work of a part of the batch, for which the plan is: the three above. Errors: those of thaw_step. */
thaw_status thaw_run_part(thaw_plan *plan, thaw_taken_step *taken, thaw_shard_part part, thaw_shard_outcome *outcome);

/* Backward of the same part. Errors: those of thaw_step. */
thaw_status thaw_run_part_backward(thaw_plan *plan, thaw_taken_step *taken);

/* Adds the time since *start to a phase, unless it is NULL, and starts the next one. */
void thaw_end_phase(double *seconds, double *start);

void thaw_take_outcome(thaw_step_result *result, const thaw_shard_outcome *outcome);

/* The plan for a part of the batch, of the range's shards. `other`: any plan with the same cut. The length of sequences
   follows from the part's own samples, so that it is the same on any rank. Errors: those of thaw_plan_find. */
thaw_status thaw_find_part_plan(const thaw_plan *other, const thaw_training_batch *batch, thaw_shard_part part,
                                thaw_shard_range range, thaw_plan **plan);

/* Weighs the gradients that backward is about to compute: they are those of the shard's total loss, divided by the
   largest shard's samples, which changes nothing in most losses. Errors: THAW_UNSUPPORTED, as below. */
thaw_status thaw_weigh_shard(thaw_plan *plan, const thaw_shard_outcome *outcome, size_t largest);

/* Runs the shards of this process side by side, where layers need the sums of all shards of the step: each goes as far
   as the next such layer, and waits for the others in memory of its own (plan/shard_places.h). *plan becomes that of
   the first; its step.met tells how far the exchanges have come. NULL if a plan could not be made. Errors: as
   thaw_run_shards. */
thaw_status thaw_run_shards_together(thaw_plan **plan, thaw_taken_step *taken);

/* Runs all shards of this process, and adds up those of all ranks. *plan, of thaw_shard_plan, becomes that of one of
   them, with gradients and statistics of the whole step. Errors: as above; THAW_UNSUPPORTED (a loss that is neither the
   mean that its weights tell nor says that it is a sum). */
thaw_status thaw_run_shards(thaw_plan **plan, thaw_taken_step *taken, thaw_step_result *result);

#endif
