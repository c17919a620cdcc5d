#include "train/shards.h"

#include <math.h>
#include <stdio.h>

#include "core/context.h"
#include "distributed/exchange.h"
#include "plan/shard_places.h"
#include "plan/store.h"

thaw_shard_range thaw_shard_range_of(size_t shards, const thaw_communicator *communicator)
{
    const size_t ranks = communicator ? (size_t)communicator->ranks : 1;
    const size_t rank = communicator ? (size_t)communicator->rank : 0;
    const size_t count = shards ? shards : ranks, each = count / ranks;
    return (thaw_shard_range){ count, rank * each, (rank + 1) * each };
}

thaw_status thaw_check_shards(const thaw_model *model, int64_t shards, const thaw_communicator *communicator)
{
    thaw_context *context = model->context;
    const thaw_status status = communicator ? thaw_communicator_check(context, communicator) : THAW_OK;
    if (status != THAW_OK)
        return status;
    if (shards < 0 || shards > THAW_MOST_SHARDS)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "shards is %lld, must be from 1 to %d", (long long)shards,
                         THAW_MOST_SHARDS);
    if (communicator && shards % communicator->ranks != 0)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "shards is %lld, must be a multiple of the %d ranks",
                         (long long)shards, communicator->ranks);
    return THAW_OK;
}

size_t thaw_shards_in_memory(const thaw_plan *plan, thaw_shard_range range)
{
    return plan->syncs ? range.past - range.first : 1;
}

static thaw_status find_plan(thaw_model *model, size_t samples, int64_t length, thaw_shard_range range,
                             thaw_plan **plan)
{
    const thaw_status status = thaw_plan_find_shard(model, (int64_t)samples, length, range, plan);
    const size_t in_memory = status == THAW_OK ? thaw_shards_in_memory(*plan, range) : 1;
    return in_memory > 1 ? thaw_plan_reserve_places(*plan, in_memory) : status;
}

thaw_status thaw_shard_plan(thaw_model *model, size_t samples, int64_t length, thaw_shard_range range, thaw_plan **plan)
{
    const size_t largest = thaw_shard_part_of(samples, range.shards, 0).count, smallest = samples / range.shards;
    thaw_status status = THAW_OK;
    if (smallest > 0 && smallest < largest)
        status = find_plan(model, smallest, length, range, plan);
    return status == THAW_OK ? find_plan(model, largest, length, range, plan) : status;
}

thaw_status thaw_find_part_plan(const thaw_plan *other, const thaw_training_batch *batch, thaw_shard_part part,
                                thaw_shard_range range, thaw_plan **plan)
{
    const int64_t length = thaw_batch_length(other, batch, part);
    return find_plan(other->program.model, part.count, length, range, plan);
}

/* ---- running ---- */

/* That a loss which is a mean is the one that its weights tell: shards are weighted by them. */
static thaw_status check_mean(const thaw_plan *plan, const thaw_shard_outcome *outcome)
{
    const thaw_graph_node *loss = &plan->model->nodes[plan->target];
    const double mean = outcome->loss * outcome->weight;
    if (loss->sums || outcome->weight <= 0 || fabs(outcome->total - mean) <= 1e-5 * (fabs(outcome->total) + fabs(mean)))
        return THAW_OK;
    return thaw_fail(plan->model->context, THAW_UNSUPPORTED,
                     "%s: its value is not the mean that its weights tell, and parts of a batch cannot be added up; a "
                     "loss that is a sum must say so (thaw_builder_sum_loss)",
                     loss->name);
}

thaw_status thaw_weigh_shard(thaw_plan *plan, const thaw_shard_outcome *outcome, size_t largest)
{
    thaw_program_step *step = &plan->program.step;
    step->loss_factor = plan->model->nodes[plan->target].sums ? 1 : (float)(outcome->weight / (double)largest);
    step->factor = thaw_plan_shares_gradients(plan) ? 1 : step->loss_factor;
    return check_mean(plan, outcome);
}

/* Finds the plan for a shard, and prepares its step. */
static thaw_status begin_shard(thaw_plan **plan, const thaw_taken_step *taken, size_t index, thaw_shard_part part)
{
    const thaw_plan *before = *plan; /* may be released for the new one */
    const thaw_model *model = before->model;
    thaw_shard_sum *sum = thaw_plan_shard_sum(model);
    const thaw_shard_range range = thaw_shard_sum_range(sum);
    const thaw_status status = thaw_find_part_plan(before, taken->batch, part, range, plan);
    if (status == THAW_OK)
        (*plan)->program.step =
            (thaw_program_step){ .updates = thaw_plan_updates(model),
                                 .sum = sum,
                                 .communicator = index + 1 == range.past ? taken->communicator : NULL,
                                 .again = index > range.first && *plan == before };
    return status;
}

/* Runs shard `index` of the step and adds its gradients to the sum. */
static thaw_status run_shard(thaw_plan **plan, thaw_taken_step *taken, size_t index)
{
    thaw_shard_sum *sum = thaw_plan_shard_sum((*plan)->model);
    const thaw_shard_range range = thaw_shard_sum_range(sum);
    const size_t largest = thaw_shard_part_of(taken->batch->all, range.shards, 0).count;
    const thaw_shard_part part = thaw_shard_part_of(taken->batch->all, range.shards, index);
    thaw_shard_outcome *outcome = &thaw_shard_sum_outcomes(sum)[index];
    if (part.count == 0) {
        thaw_shard_sum_add_nothing(sum);
        return THAW_OK;
    }
    thaw_status status = begin_shard(plan, taken, index, part);
    if (status == THAW_OK)
        status = thaw_run_part(*plan, taken, part, outcome);
    if (status == THAW_OK)
        status = thaw_weigh_shard(*plan, outcome, largest);
    if (status == THAW_OK)
        status = thaw_run_part_backward(*plan, taken);
    return status == THAW_OK ? thaw_program_run(*plan, THAW_SECTION_SUM) : status;
}

static thaw_status run_own_shards(thaw_plan **plan, thaw_taken_step *taken, thaw_shard_range range)
{
    thaw_status status = thaw_check_values((*plan)->program.model, taken->batch);
    if (thaw_shards_in_memory(*plan, range) > 1)
        return status == THAW_OK ? thaw_run_shards_together(plan, taken) : status;
    for (size_t i = range.first; i < range.past && status == THAW_OK; i++)
        status = run_shard(plan, taken, i);
    return status;
}

/* Makes the exchanges in the middle of the step that this rank has left out, so that the others need not wait for them.
   Keeps the message of a failure, for which `status` stands. */
static void meet_others(thaw_plan *plan, thaw_status status)
{
    thaw_context *context = plan->model->context;
    char message[THAW_MESSAGE_BYTES];
    snprintf(message, sizeof message, "%s", thaw_context_message(context));
    if (thaw_program_meet_others(plan) != THAW_OK && status != THAW_OK)
        thaw_fail(context, status, "%s", message);
}

thaw_status thaw_run_shards(thaw_plan **plan, thaw_taken_step *taken, thaw_step_result *result)
{
    const thaw_model *model = (*plan)->model;
    thaw_shard_sum *sum = thaw_plan_shard_sum(model);
    const thaw_shard_range range = thaw_shard_sum_range(sum);
    const size_t largest = thaw_shard_part_of(taken->batch->all, range.shards, 0).count;
    thaw_shard_sum_begin(sum, largest, model->nodes[(*plan)->target].sums);
    (*plan)->program.step =
        (thaw_program_step){ .updates = thaw_plan_updates(model), .sum = sum, .communicator = taken->communicator };
    const bool syncs = (*plan)->syncs;
    thaw_status status = run_own_shards(plan, taken, range);
    if (syncs && !*plan) { /* which exchanges there are is not known */
        thaw_give_up(taken->communicator, thaw_context_message(model->context));
        return status;
    }
    if (syncs && taken->communicator)
        meet_others(*plan, status);
    if (taken->communicator)
        status = thaw_shard_sum_finish(sum, taken->communicator, status);
    if (status != THAW_OK)
        return status;
    const thaw_shard_outcome all = thaw_shard_sum_outcome(sum);
    thaw_take_outcome(result, &all);
    return thaw_program_run(*plan, THAW_SECTION_TOTAL);
}
