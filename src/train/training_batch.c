/* A training step on one batch, whole or in shards. */
#include <math.h>

#include "core/clock.h"
#include "params/finite.h"
#include "params/view.h"
#include "train/batch.h"
#include "train/shards.h"

/* Clips and updates, including statistics: all of them or nothing. The norm's small addend is PyTorch's. */
static thaw_status update(thaw_plan *plan, const thaw_step_options *options, thaw_step_result *result)
{
    const bool clips = options->clip_norm > 0;
    thaw_program_step *step = &plan->program.step;
    step->rate_factor = options->rate_factor;
    thaw_status status = thaw_program_run(plan, clips ? THAW_SECTION_CLIP : THAW_SECTION_CHECK);
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
    thaw_status status;
    thaw_set_use_view(&plan->program.model->parameters, false);
    if (plan->shards > 1)
        status = thaw_run_shards(&plan, &taken, result);
    else
        status = run_whole(plan, &taken, result);
    if (status == THAW_OK)
        status = update(plan, options, result);
    thaw_end_phase(phases ? &phases->update : NULL, &taken.start);
    return status;
}
