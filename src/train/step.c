/* Calls for hosts with their own training loop. */
#include <math.h>
#include <string.h>

#include "core/context.h"
#include "core/threads.h"
#include "train/batch.h"
#include "train/evaluation_batch.h"
#include "train/inputs.h"
#include "train/shards.h"

static thaw_status check_options(const thaw_model *model, const thaw_step_options *options, int64_t batch)
{
    if (!isfinite(options->rate_factor) || options->rate_factor < 0)
        return thaw_fail(model->context, THAW_INVALID_ARGUMENT, "rate factor is %g, must be finite and not negative",
                         options->rate_factor);
    if (!isfinite(options->clip_norm) || options->clip_norm < 0)
        return thaw_fail(model->context, THAW_INVALID_ARGUMENT, "clip norm is %g, must be finite and not negative",
                         options->clip_norm);
    const thaw_communicator *communicator = options->communicator;
    const thaw_status status = thaw_check_shards(model, options->shards, communicator);
    if (status != THAW_OK || !communicator)
        return status;
    const thaw_shard_range range = thaw_shard_range_of((size_t)options->shards, communicator);
    const size_t each = range.past - range.first;
    if ((size_t)batch % each != 0)
        return thaw_fail(model->context, THAW_INVALID_ARGUMENT,
                         "the batch has %lld samples on each rank, must be a multiple of the %zu shards there",
                         (long long)batch, each);
    return THAW_OK;
}

thaw_status thaw_step_samples(thaw_model *model, const thaw_packed_batch *batch, const thaw_tensor *targets,
                              const thaw_step_options *options, thaw_step_result *result)
{
    thaw_step_options settings = options ? *options : (thaw_step_options){ 0 };
    if (settings.rate_factor == 0)
        settings.rate_factor = 1;
    thaw_step_result ignored;
    thaw_status status = thaw_check_targets(model, targets, batch->count);
    if (status == THAW_OK)
        status = check_options(model, &settings, batch->count);
    if (status != THAW_OK)
        return status;
    const thaw_thread_scope scope = thaw_threads_enter(model->context);
    thaw_plan *plan;
    const thaw_shard_range range = thaw_shard_range_of((size_t)settings.shards, settings.communicator);
    const size_t ranks = range.shards / (range.past - range.first), all = ranks * (size_t)batch->count;
    const int64_t length = thaw_model_batch_length(model, batch->samples, (size_t)batch->count, batch->most);
    status = thaw_shard_plan(model, all, length, range, &plan);
    if (status == THAW_OK)
        status = thaw_train_batch(plan,
                                  &(thaw_training_batch){ .count = batch->count,
                                                          .first = thaw_shard_part_of_range(all, range).first,
                                                          .all = all,
                                                          .samples = batch->samples,
                                                          .most = batch->most,
                                                          .targets = targets ? targets->data : NULL },
                                  &settings, model->context->seed, result ? result : &ignored);
    thaw_threads_leave(scope);
    return status;
}

thaw_status thaw_step(thaw_model *model, const thaw_tensor *inputs, const thaw_tensor *targets,
                      const thaw_step_options *options, thaw_step_result *result)
{
    thaw_packed_batch batch;
    thaw_status status = thaw_check_inputs(model, inputs, &batch);
    if (status == THAW_OK)
        status = thaw_pack_inputs(model, inputs, &batch);
    return status == THAW_OK ? thaw_step_samples(model, &batch, targets, options, result) : status;
}

/* Sequences may be shorter than those of whole outputs, which then end with zeros. */
static void copy_outputs(const float *from, size_t count, size_t given, float *into, size_t whole)
{
    for (size_t i = 0; i < count; i++) {
        memcpy(into + i * whole, from + i * given, given * sizeof *into);
        memset(into + i * whole + given, 0, (whole - given) * sizeof *into);
    }
}

thaw_status thaw_predict_samples(thaw_model *model, const thaw_packed_batch *batch, const thaw_tensor *outputs)
{
    const thaw_shape *sample = &model->nodes[thaw_model_output(model)].output;
    if (outputs->dtype != THAW_F32 || !outputs->data || outputs->shape.rank != sample->rank + 1 ||
        outputs->shape.dims[0] != batch->count ||
        memcmp(&outputs->shape.dims[1], sample->dims, (size_t)sample->rank * sizeof sample->dims[0]) != 0) {
        char wanted[80];
        return thaw_fail(model->context, THAW_SHAPE_MISMATCH, "outputs must be floats: %lld samples of shape %s",
                         (long long)batch->count, thaw_shape_format(sample, wanted, sizeof wanted));
    }
    thaw_batch_outcome outcome;
    const thaw_evaluated_batch evaluated = { .count = batch->count, .samples = batch->samples, .most = batch->most };
    const thaw_thread_scope scope = thaw_threads_enter(model->context);
    const thaw_status status = thaw_evaluate_batch(model, &evaluated, &outcome);
    thaw_threads_leave(scope);
    if (status == THAW_OK)
        copy_outputs(outcome.outputs, (size_t)batch->count, outcome.output_count, outputs->data,
                     thaw_shape_count(sample));
    return status;
}

thaw_status thaw_predict(thaw_model *model, const thaw_tensor *inputs, const thaw_tensor *outputs)
{
    thaw_packed_batch batch;
    thaw_status status = thaw_check_inputs(model, inputs, &batch);
    if (status == THAW_OK)
        status = thaw_pack_inputs(model, inputs, &batch);
    return status == THAW_OK ? thaw_predict_samples(model, &batch, outputs) : status;
}
