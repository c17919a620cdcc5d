/* The steps of a trainer's epoch. */
#include "core/clock.h"
#include "data/dataset.h"
#include "train/batch.h"
#include "train/checkpoint.h"
#include "train/policy_run.h"
#include "train/shards.h"
#include "train/trainer.h"

/* Reads the next batch, unless one is still waiting. */
static thaw_status read_batch(thaw_trainer *trainer)
{
    if (trainer->batch.all)
        return THAW_OK;
    const bool timed = trainer->options.time_phases;
    const double asked = timed ? thaw_seconds() : 0;
    const thaw_status status = thaw_loader_next(trainer->loader, &trainer->batch);
    if (status != THAW_OK)
        trainer->batch = (thaw_batch){ 0 };
    trainer->mixed = false;
    if (timed)
        trainer->epoch_result.phases.data += thaw_seconds() - asked;
    return status;
}

static void keep_features(void *argument, const thaw_plan *plan)
{
    const thaw_trainer *trainer = argument;
    const thaw_batch *batch = &trainer->batch;
    const size_t first = plan->program.step.own_first, target_bytes = trainer->dataset->target_bytes;
    thaw_feature_cache_keep(trainer->cache, plan, batch->indices + first,
                            (const char *)batch->targets + first * target_bytes, (size_t)plan->batch);
}

/* Counts the steps of the batch's sequences, shard by shard. */
static void count_steps(thaw_trainer *trainer, const thaw_plan *plan, const thaw_training_batch *batch,
                        thaw_shard_range range)
{
    const thaw_model *model = trainer->model;
    const size_t stride = thaw_shape_count(&model->nodes[0].output);
    for (size_t i = range.first; i < range.past; i++) {
        const thaw_shard_part part = thaw_shard_part_of(batch->all, range.shards, i);
        if (part.count)
            thaw_model_count_steps(model, batch->samples + (part.first - batch->first) * stride, part.count,
                                   thaw_batch_length(plan, batch, part), &trainer->sums.tokens, &trainer->sums.steps);
    }
}

/* The plan for the largest shard, at the length that the batch needs. Rows of a cache tell it only if they fit. */
static thaw_status find_plan(thaw_trainer *trainer, thaw_training_batch *batch, thaw_shard_range range,
                             thaw_plan **plan)
{
    const thaw_shard_part all = { batch->first, (size_t)batch->count };
    thaw_status status = thaw_shard_plan(trainer->model, batch->all, 0, range, plan);
    if (status == THAW_OK)
        status = thaw_trainer_check_cache(trainer, *plan);
    if (status != THAW_OK || !batch->most)
        return status;
    const int64_t length = thaw_batch_length(*plan, batch, all);
    status = thaw_shard_plan(trainer->model, batch->all, length, range, plan);
    if (status != THAW_OK || !trainer->cache || thaw_plan_keeps_beginnings(*plan))
        return status;
    batch->most = 0;
    return thaw_shard_plan(trainer->model, batch->all, 0, range, plan);
}

/* The step itself, as the policy watches it. */
static thaw_status take_watched(thaw_trainer *trainer, thaw_plan *plan, thaw_training_batch *training,
                                const thaw_step_options *step, thaw_step_result *result)
{
    const bool timed = thaw_policy_times_step(trainer);
    training->measures = thaw_policy_watches_step(trainer->policy);
    thaw_status status = timed ? thaw_policy_begin_timing(trainer, plan) : THAW_OK;
    if (status == THAW_OK)
        status = thaw_train_batch(plan, training, step, trainer->options.seed, result);
    if (timed)
        thaw_policy_end_timing(trainer, plan, status == THAW_OK);
    if (status == THAW_OK && trainer->policy)
        thaw_policy_note_step(trainer->policy, plan, result, training->measures);
    return status;
}

static thaw_status train_batch(thaw_trainer *trainer, thaw_step_result *result)
{
    const thaw_batch *batch = &trainer->batch;
    const thaw_fit_options *options = &trainer->options;
    const size_t all_steps = trainer->epoch_steps * (size_t)options->epochs;
    trainer->epoch_result.rate_factor =
        thaw_schedule_factor(&options->schedule, trainer->position.all_steps, trainer->epoch_steps, all_steps);
    const thaw_step_options step = {
        .rate_factor = trainer->epoch_result.rate_factor,
        .clip_norm = options->clip_norm,
        .shards = options->shards,
        .communicator = options->communicator,
    };
    const thaw_shard_range range = thaw_shard_range_of((size_t)options->shards, options->communicator);
    const bool cached = trainer->epoch_result.cached;
    thaw_training_batch training = {
        .count = (int64_t)batch->count,
        .first = batch->first,
        .all = batch->all,
        .samples = cached ? NULL : batch->samples,
        .most = trainer->model->longest,
        .indices = batch->indices,
        .features = cached ? batch->samples : NULL,
        .targets = batch->targets,
        .argument = trainer,
        .mixing = &options->mixing,
        .mixing_step = trainer->position.all_steps,
        .phases = options->time_phases ? &trainer->epoch_result.phases : NULL,
    };
    thaw_plan *plan;
    thaw_status status =
        thaw_policy_times_step(trainer) ? thaw_policy_prepare_timing(trainer, &training, range) : THAW_OK;
    if (status == THAW_OK)
        status = find_plan(trainer, &training, range, &plan);
    if (status == THAW_OK && trainer->average)
        status = thaw_average_follow(trainer->average, plan->trained, plan->trained_count);
    if (status != THAW_OK)
        return status;
    thaw_trainer_mix(trainer, plan, range);
    if (trainer->cache && !cached) { /* it may have been dropped just now */
        training.on_prefix = keep_features;
        thaw_feature_cache_announce(trainer->cache, batch->indices - batch->first, batch->all);
    }
    status = take_watched(trainer, plan, &training, &step, result);
    if (status == THAW_OK && trainer->model->longest && !cached)
        count_steps(trainer, plan, &training, range);
    if (status == THAW_OK && trainer->average && !result->skipped)
        thaw_average_update(trainer->average);
    return status;
}

/* Counts a batch that was trained on. */
static void advance(thaw_trainer *trainer, const thaw_step_result *result)
{
    thaw_epoch_sums *sums = &trainer->sums;
    const size_t count = trainer->batch.all;
    trainer->batch = (thaw_batch){ 0 };
    trainer->mixed = false;
    trainer->position.step++;
    trainer->position.all_steps++;
    trainer->position.samples += count;
    trainer->epoch_result.skipped_steps += result->skipped;
    sums->loss += result->loss_total;
    sums->weight += result->loss_weight;
    sums->samples += count;
    sums->correct += result->correct;
    sums->counted += result->counted;
}

static thaw_status call_on_step(const thaw_trainer *trainer)
{
    if (!trainer->options.on_step)
        return THAW_OK;
    const thaw_progress progress = {
        .epoch = trainer->position.epoch,
        .epochs = trainer->options.epochs,
        .step = trainer->position.step,
        .steps = trainer->epoch_steps,
        .loss = thaw_batches_mean(trainer->sums.loss, trainer->sums.weight),
    };
    if (trainer->options.on_step(trainer->options.user, &progress))
        return THAW_OK;
    return thaw_fail(trainer->model->context, THAW_STOPPED, "stopped in epoch %d, after step %zu", progress.epoch,
                     progress.step);
}

static thaw_status take_step(thaw_trainer *trainer, thaw_step_result *result)
{
    thaw_status status = thaw_policy_ask(trainer, false);
    if (status == THAW_OK)
        status = read_batch(trainer);
    if (status == THAW_OK)
        status = train_batch(trainer, result);
    if (status != THAW_OK)
        return status;
    advance(trainer, result);
    return call_on_step(trainer);
}

thaw_status thaw_trainer_take_steps(thaw_trainer *trainer, size_t most, thaw_step_result *result)
{
    const thaw_epoch_sums *sums = &trainer->sums;
    thaw_epoch_result *epoch_result = &trainer->epoch_result;
    thaw_status status = THAW_OK;
    const double start = thaw_seconds();
    for (size_t i = 0; i < most && status == THAW_OK && trainer->position.step < trainer->epoch_steps; i++) {
        status = take_step(trainer, result);
        if (status == THAW_OK)
            thaw_checkpoints_after_step(trainer);
    }
    epoch_result->seconds += thaw_seconds() - start;
    epoch_result->samples_per_second = (double)sums->samples / epoch_result->seconds;
    if (sums->steps) {
        epoch_result->padding = 1 - (double)sums->tokens / (double)sums->steps;
        epoch_result->tokens_per_second = (double)sums->tokens / epoch_result->seconds;
    }
    epoch_result->loss = thaw_batches_mean(sums->loss, sums->weight);
    if (thaw_dataset_classes(trainer->dataset))
        epoch_result->accuracy = thaw_batches_mean((double)sums->correct, (double)sums->counted);
    return status;
}
