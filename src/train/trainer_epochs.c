/* Start and end of a trainer's epochs. */
#include <math.h>

#include "core/clock.h"
#include "data/dataset.h"
#include "plan/plan.h"
#include "plan/store.h"
#include "policy/strategy.h"
#include "train/best.h"
#include "train/policy_run.h"
#include "train/shards.h"
#include "train/trainer.h"

/* Once per epoch, even if compiling fails and is tried again: rules that scale a rate must not apply twice. */
static thaw_status apply_rules(thaw_trainer *trainer, int epoch)
{
    const thaw_fit_options *options = &trainer->options;
    if (!options->strategy || trainer->ruled == epoch)
        return THAW_OK;
    const thaw_part_epoch when = { .epoch = epoch, .epochs = options->epochs };
    const thaw_status status =
        thaw_strategy_run(options->strategy, trainer->model, options->head, when, options->on_rule, options->user);
    if (status == THAW_OK)
        trainer->ruled = epoch;
    return status;
}

/* Compiles everything that the epoch will run, so that its steps do not compile. *plan is that of a full batch, if the
   data fills one. */
static thaw_status compile(const thaw_trainer *trainer, thaw_plan **plan)
{
    const thaw_fit_options *options = &trainer->options;
    const size_t count = thaw_dataset_count(trainer->dataset), rest = count % (size_t)options->batch;
    const thaw_shard_range range = thaw_shard_range_of((size_t)options->shards, options->communicator);
    thaw_status status = THAW_OK;
    if (rest && !options->drop_last)
        status = thaw_shard_plan(trainer->model, rest, 0, range, plan);
    if (status == THAW_OK && count >= (size_t)options->batch)
        status = thaw_shard_plan(trainer->model, (size_t)options->batch, 0, range, plan);
    return status;
}

static thaw_status prepare_epoch(thaw_trainer *trainer, int epoch)
{
    thaw_plan *plan;
    thaw_status status = apply_rules(trainer, epoch);
    if (status == THAW_OK)
        status = compile(trainer, &plan);
    if (status == THAW_OK)
        status = thaw_trainer_choose_data(trainer, plan, epoch);
    if (status == THAW_OK)
        status = thaw_test_cache_begin_epoch(&trainer->test_cache, plan, &trainer->options, trainer->dataset, epoch);
    if (status == THAW_OK && trainer->average)
        status = thaw_average_follow(trainer->average, plan->trained, plan->trained_count);
    if (status != THAW_OK)
        return status;
    const thaw_plan_totals totals = thaw_plan_totals_of(plan);
    const thaw_shard_range range = thaw_shard_range_of((size_t)trainer->options.shards, trainer->options.communicator);
    const size_t in_memory = thaw_shards_in_memory(plan, range);
    trainer->epoch_result.trainable_parameters = totals.trainable_parameters;
    trainer->epoch_result.gradient_bytes = in_memory * totals.gradient_bytes;
    trainer->epoch_result.optimizer_state_bytes = totals.optimizer_state_bytes;
    trainer->epoch_result.activation_bytes = in_memory * totals.activation_bytes;
    if (trainer->options.communicator && trainer->options.communicator->ranks > 1)
        trainer->epoch_result.sent_bytes =
            thaw_shard_sum_sent_bytes(thaw_plan_shard_sum(trainer->model)) +
            (size_t)(trainer->options.communicator->ranks - 1) * (range.past - range.first) * totals.synced_bytes;
    trainer->epoch_result.average_bytes = thaw_average_bytes(trainer->average);
    return THAW_OK;
}

thaw_status thaw_trainer_begin_epoch(thaw_trainer *trainer)
{
    const int epoch = trainer->position.epoch + 1;
    trainer->sums = (thaw_epoch_sums){ 0 };
    trainer->epoch_result = (thaw_epoch_result){
        .epoch = epoch,
        .epochs = trainer->options.epochs,
        .loss = NAN,
        .accuracy = NAN,
        .test_loss = NAN,
        .test_accuracy = NAN,
        .test_top5_accuracy = NAN,
        .test_macro_f1 = NAN,
        .test_perplexity = NAN,
        .padding = NAN,
        .tokens_per_second = NAN,
        .run_seconds = trainer->epoch_result.run_seconds,
        .best = trainer->best,
    };
    thaw_status status = thaw_policy_ask(trainer, true);
    if (status == THAW_OK)
        status = prepare_epoch(trainer, epoch);
    if (status != THAW_OK)
        return status;
    const double start = thaw_seconds();
    thaw_loader_start_epoch(trainer->loader, (uint64_t)epoch);
    trainer->epoch_result.seconds = thaw_seconds() - start;
    trainer->position.epoch = epoch;
    trainer->position.step = 0;
    trainer->open = true;
    return THAW_OK;
}

thaw_status thaw_trainer_resume(thaw_trainer *trainer)
{
    thaw_plan *plan;
    thaw_status status = THAW_OK;
    if (trainer->uncached) {
        status = compile(trainer, &plan);
        if (status == THAW_OK)
            status = thaw_trainer_restore_cache(trainer, plan);
    }
    trainer->uncached = trainer->uncached && status != THAW_OK;
    if (status != THAW_OK || !trainer->suspended)
        return status;
    status = prepare_epoch(trainer, trainer->position.epoch);
    if (status != THAW_OK)
        return status;
    thaw_loader_start_epoch_at(trainer->loader, (uint64_t)trainer->position.epoch, trainer->position.step);
    trainer->suspended = false;
    return THAW_OK;
}

void thaw_trainer_count_wall(thaw_trainer *trainer)
{
    const double now = thaw_seconds();
    if (trainer->clock > 0)
        trainer->wall += now - trainer->clock;
    trainer->clock = trainer->clock > 0 ? now : 0;
}

/* What follows counts for the next epoch. */
static void take_wall(thaw_trainer *trainer)
{
    thaw_trainer_count_wall(trainer);
    trainer->epoch_result.wall_seconds = trainer->wall;
    trainer->epoch_result.run_seconds += trainer->wall;
    trainer->wall = 0;
}

thaw_status thaw_trainer_end_epoch(thaw_trainer *trainer)
{
    const thaw_fit_options *options = &trainer->options;
    const thaw_status status = thaw_trainer_test_epoch(trainer);
    if (status != THAW_OK)
        return status;
    thaw_best_after_epoch(trainer);
    if (trainer->policy && trainer->epoch_result.tested) {
        trainer->policy->test_loss = trainer->epoch_result.test_loss;
        trainer->policy->test_accuracy = trainer->epoch_result.test_accuracy;
    }
    trainer->open = false;
    take_wall(trainer);
    if (!options->on_epoch || options->on_epoch(options->user, &trainer->epoch_result))
        return THAW_OK;
    return thaw_fail(trainer->model->context, THAW_STOPPED, "stopped after epoch %d", trainer->position.epoch);
}
