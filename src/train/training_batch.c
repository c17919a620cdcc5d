/* A training step on one batch, whole or in shards. */
#include <math.h>

#include "core/clock.h"
#include "params/finite.h"
#include "params/view.h"
#include "plan/store.h"
#include "train/batch.h"
#include "train/shards.h"
#include "update/perturb.h"

/* Clips and updates, including statistics: all of them or nothing. The norm's small addend is PyTorch's. */
static thaw_status update(thaw_plan *plan, const thaw_step_options *options, bool measures, thaw_step_result *result)
{
    const bool clips = options->clip_norm > 0;
    thaw_program_step *step = &plan->program.step;
    step->rate_factor = options->rate_factor;
    thaw_status status = thaw_program_run(plan, clips || measures ? THAW_SECTION_CLIP : THAW_SECTION_CHECK);
    if (status != THAW_OK)
        return status;
    if (clips)
        result->gradient_norm = step->norm;
    result->skipped = !step->finite;
    step->gradient_scale = clips ? fmin(1, options->clip_norm / (result->gradient_norm + 1e-6)) : 1;
    if (options->gradients_only && !result->skipped)
        thaw_update_list_scale(step->updates, step->gradient_scale);
    if (result->skipped || options->gradients_only)
        return THAW_OK;
    status = thaw_program_run(plan, THAW_SECTION_UPDATE);
    plan->program.model->steps += status == THAW_OK;
    return status;
}

static thaw_status run_whole(thaw_plan *plan, thaw_taken_step *taken, thaw_step_result *result)
{
    thaw_shard_outcome outcome = { .loss = NAN };
    thaw_status status = thaw_check_values(plan->program.model, taken->batch);
    if (status != THAW_OK)
        return status;
    plan->program.step = (thaw_program_step){ .updates = thaw_plan_updates(plan->model) };
    status = thaw_run_part(plan, taken, (thaw_shard_part){ 0, (size_t)taken->batch->count }, &outcome);
    thaw_take_outcome(result, &outcome);
    return status == THAW_OK ? thaw_run_part_backward(plan, taken) : status;
}

static thaw_status run_pass(thaw_plan **plan, thaw_taken_step *taken, thaw_step_result *result)
{
    return (*plan)->shards > 1 ? thaw_run_shards(plan, taken, result) : run_whole(*plan, taken, result);
}

/* Takes the gradients again, at the weights to which wrappers move; a step with a gradient that is not finite is left as
   it is, for it will not update. */
static thaw_status run_second_pass(thaw_plan **plan, thaw_taken_step *taken)
{
    thaw_update_list *updates = (*plan)->program.step.updates;
    const thaw_training_batch *first = taken->batch;
    thaw_training_batch again = *first;
    thaw_step_result ignored = { .loss = NAN, .gradient_norm = NAN };
    thaw_status status = thaw_program_run(*plan, THAW_SECTION_CHECK);
    if (status != THAW_OK || !(*plan)->program.step.finite)
        return status;
    again.on_prefix = NULL;
    taken->batch = &again;
    thaw_update_list_perturb(updates);
    status = run_pass(plan, taken, &ignored);
    thaw_update_list_restore(updates);
    taken->batch = first;
    return status;
}

thaw_status thaw_train_batch(thaw_plan *plan, const thaw_training_batch *batch, const thaw_step_options *options,
                             uint64_t seed, thaw_step_result *result)
{
    *result = (thaw_step_result){ .loss = NAN, .gradient_norm = NAN };
    thaw_phase_seconds *phases = batch->phases;
    thaw_taken_step taken = { .batch = batch,
                              .seed = seed,
                              .communicator = options->communicator && options->communicator->ranks > 1
                                                  ? options->communicator
                                                  : NULL,
                              .start = phases ? thaw_seconds() : 0 };
    thaw_set_use_view(&plan->program.model->parameters, false);
    thaw_status status = run_pass(&plan, &taken, result);
    if (status == THAW_OK && !options->gradients_only && thaw_update_list_perturbs(plan->program.step.updates))
        status = run_second_pass(&plan, &taken);
    if (status == THAW_OK)
        status = update(plan, options, batch->measures, result);
    thaw_end_phase(phases ? &phases->update : NULL, &taken.start);
    return status;
}
