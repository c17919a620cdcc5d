#include "train/trainer.h"

#include <math.h>

#include "core/clock.h"
#include "core/context.h"
#include "core/threads.h"
#include "data/dataset.h"
#include "distributed/exchange.h"
#include "features/cache_choice.h"
#include "policy/strategy.h"
#include "train/batch.h"
#include "train/best.h"
#include "train/checkpoint.h"
#include "train/inputs.h"
#include "train/policy_run.h"
#include "train/shards.h"

enum { DEFAULT_BATCH = 128 };

/* ---------------------------------------------------------------- checks */

static thaw_status check_options(const thaw_model *model, const thaw_fit_options *options)
{
    thaw_context *context = model->context;
    if (options->epochs < 0)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "epochs is %d, must be at least 1", options->epochs);
    if (options->batch < 0)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "batch is %lld, must be at least 1",
                         (long long)options->batch);
    const thaw_status status = thaw_check_shards(model, options->shards, options->communicator);
    if (status != THAW_OK)
        return status;
    const int64_t shards = (int64_t)thaw_shard_range_of((size_t)options->shards, options->communicator).shards;
    if (options->batch % shards != 0)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "batch is %lld, must be a multiple of the %lld shards",
                         (long long)options->batch, (long long)shards);
    if (options->test_every < 0)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "test_every is %d, must not be negative", options->test_every);
    if (!isfinite(options->clip_norm) || options->clip_norm < 0)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "clip norm is %g, must be finite and not negative",
                         options->clip_norm);
    if (!(options->average_decay >= 0 && options->average_decay < 1))
        return thaw_fail(context, THAW_INVALID_ARGUMENT,
                         "the decay of averaged weights is %g, must be at least 0 and less than 1",
                         options->average_decay);
    return THAW_OK;
}

static thaw_status take_data(thaw_trainer *trainer, thaw_dataset **dataset, thaw_dataset **arranged)
{
    const thaw_status status = thaw_match_fields(trainer->model, dataset, arranged);
    return status == THAW_OK ? thaw_check_dataset(trainer->model, *dataset) : status;
}

/* Before the first step, not hours later: patterns that match nothing, data that does not fit. */
static thaw_status check(thaw_trainer *trainer)
{
    thaw_model *model = trainer->model;
    thaw_fit_options *options = &trainer->options;
    thaw_status status = check_options(model, options);
    if (status == THAW_OK && thaw_model_loss(model) < 0)
        status = thaw_fail(model->context, THAW_INVALID_ARGUMENT, "the model must have a loss to train");
    if (status == THAW_OK)
        status = take_data(trainer, &trainer->dataset, &trainer->arranged);
    if (status == THAW_OK && options->test)
        status = take_data(trainer, &options->test, &trainer->arranged_test);
    if (status == THAW_OK)
        status = thaw_trainer_check_mixing(trainer);
    if (status == THAW_OK && options->strategy)
        status = thaw_strategy_check(options->strategy, model, options->head, options->epochs);
    return status;
}

/* An optimizer with a view averages the weights itself. */
static thaw_status check_averages(const thaw_trainer *trainer)
{
    const thaw_parameter_set *set = &trainer->model->parameters;
    for (size_t i = 0; i < set->parameter_count && trainer->options.average_decay > 0; i++) {
        const thaw_optimizer_module *module = thaw_parameter_module(set->parameters[i]);
        if (module && module->view)
            return thaw_fail(set->context, THAW_INVALID_ARGUMENT,
                             "%s averages the weights itself: the decay of averaged weights must be 0", module->name);
    }
    return THAW_OK;
}

static thaw_status begin(thaw_trainer *trainer)
{
    thaw_context *context = trainer->model->context;
    thaw_fit_options *options = &trainer->options;
    options->epochs = options->epochs ? options->epochs : 1;
    options->batch = options->batch ? options->batch : DEFAULT_BATCH;
    options->seed = options->seed ? options->seed : context->seed;
    options->test_every = options->test_every ? options->test_every : 1;
    thaw_status status = check(trainer);
    if (status == THAW_OK)
        status = check_averages(trainer);
    if (status == THAW_OK)
        status = thaw_best_begin(trainer);
    if (status == THAW_OK && options->average_decay > 0)
        status = thaw_average_create(&trainer->model->parameters, options->average_decay, &trainer->average);
    if (status == THAW_OK)
        status = thaw_policy_run_create(trainer);
    if (status != THAW_OK)
        return status;
    options->shards = (int64_t)thaw_shard_range_of((size_t)options->shards, options->communicator).shards;
    if (options->cache_file && options->communicator && options->communicator->ranks > 1) {
        thaw_log(context, THAW_LOG_INFO, "%s: the feature cache of several ranks is in memory, not in a file",
                 options->cache_file);
        options->cache_file = NULL;
    }
    trainer->budget = thaw_cache_budget_of(options, trainer->dataset);
    const thaw_thread_scope scope = thaw_threads_enter(context);
    status = thaw_trainer_open_loader(trainer, trainer->dataset);
    thaw_threads_leave(scope);
    if (status != THAW_OK)
        return status;
    trainer->epoch_steps = thaw_loader_steps(trainer->loader);
    return thaw_checkpoints_open(trainer);
}

thaw_status thaw_trainer_create(thaw_model *model, thaw_dataset *dataset, const thaw_fit_options *options,
                                thaw_trainer **trainer)
{
    *trainer = NULL;
    thaw_trainer *made = thaw_allocate_array(model->context, 1, sizeof *made);
    if (!made)
        return THAW_OUT_OF_MEMORY;
    *made = (thaw_trainer){ .model = model, .dataset = dataset };
    if (options)
        made->options = *options;
    const thaw_status status = begin(made);
    if (status == THAW_OK) {
        *trainer = made;
        return THAW_OK;
    }
    if (options && options->communicator && options->communicator->size == sizeof *options->communicator)
        thaw_give_up(options->communicator, thaw_context_message(model->context));
    thaw_trainer_destroy(made);
    return status;
}

void thaw_trainer_destroy(thaw_trainer *trainer)
{
    if (!trainer)
        return;
    thaw_checkpoints_close(trainer);
    thaw_trainer_release_data(trainer);
    thaw_test_cache_release(&trainer->test_cache, trainer->model->context);
    thaw_average_release(trainer->average);
    thaw_policy_run_release(trainer);
    thaw_dataset_destroy(trainer->arranged);
    thaw_dataset_destroy(trainer->arranged_test);
    thaw_release(trainer->model->context, trainer);
}

/* ---------------------------------------------------------------- running */

/* Before the first step, and before the first after a checkpoint was loaded. All ranks find out alike. */
static thaw_status agree(thaw_trainer *trainer)
{
    const thaw_communicator *communicator = trainer->options.communicator;
    if (trainer->agreed || !communicator || communicator->ranks == 1)
        return THAW_OK;
    const thaw_status status = thaw_trainer_agree(trainer);
    trainer->agreed = status == THAW_OK;
    return status;
}

static thaw_status fail_done(const thaw_trainer *trainer)
{
    thaw_context *context = trainer->model->context;
    if (trainer->position.epoch == trainer->options.epochs)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "no epoch is left: all %d are done", trainer->options.epochs);
    return thaw_fail(context, THAW_INVALID_ARGUMENT,
                     "the run has ended after epoch %d: no epoch since %d was better, and the patience is %d",
                     trainer->position.epoch, trainer->best.epoch, trainer->options.best.patience);
}

static thaw_status run(thaw_trainer *trainer, size_t most, thaw_step_result *result)
{
    thaw_context *context = trainer->model->context;
    if (thaw_trainer_done(trainer))
        return fail_done(trainer);
    thaw_trainer_use_weights(trainer);
    const thaw_status agreement = agree(trainer);
    if (agreement != THAW_OK)
        return agreement;
    trainer->clock = thaw_seconds();
    const thaw_thread_scope scope = thaw_threads_enter(context);
    trainer->model->cache = trainer->budget;
    thaw_status status = thaw_trainer_resume(trainer);
    if (status == THAW_OK && !trainer->open)
        status = thaw_trainer_begin_epoch(trainer);
    if (status == THAW_OK)
        status = thaw_trainer_take_steps(trainer, most, result);
    if (status == THAW_OK && trainer->position.step == trainer->epoch_steps) {
        status = thaw_trainer_end_epoch(trainer);
        if (!trainer->open)
            thaw_checkpoints_after_epoch(trainer);
    }
    thaw_threads_leave(scope);
    thaw_trainer_count_wall(trainer);
    trainer->clock = 0;
    if (status != THAW_OK && status != THAW_STOPPED)
        thaw_give_up(trainer->options.communicator, thaw_context_message(context));
    return status;
}

thaw_status thaw_trainer_step(thaw_trainer *trainer, thaw_step_result *result)
{
    thaw_step_result ignored;
    if (!result)
        result = &ignored;
    *result = (thaw_step_result){ .loss = NAN, .gradient_norm = NAN };
    return run(trainer, 1, result);
}

thaw_status thaw_trainer_epoch(thaw_trainer *trainer, thaw_epoch_result *epoch_result)
{
    thaw_step_result ignored;
    const thaw_status status = run(trainer, SIZE_MAX, &ignored);
    if (epoch_result)
        *epoch_result = trainer->epoch_result;
    return status;
}

/* A rank that fails tells the others, which may be waiting for it. */
static thaw_status test(thaw_trainer *trainer, thaw_evaluation *result)
{
    thaw_status status = agree(trainer);
    if (status == THAW_OK)
        status = thaw_trainer_test(trainer, result);
    if (status != THAW_OK)
        thaw_give_up(trainer->options.communicator, thaw_context_message(trainer->model->context));
    return status;
}

thaw_status thaw_trainer_evaluate(thaw_trainer *trainer, thaw_evaluation *result)
{
    if (trainer->options.test)
        return test(trainer, result);
    *result =
        (thaw_evaluation){ .loss = NAN, .accuracy = NAN, .top5_accuracy = NAN, .macro_f1 = NAN, .perplexity = NAN };
    return thaw_fail(trainer->model->context, THAW_INVALID_ARGUMENT, "the run has no test data");
}

/* ---------------------------------------------------------------- position */

bool thaw_trainer_done(const thaw_trainer *trainer)
{
    return !trainer->open && (trainer->position.epoch == trainer->options.epochs || thaw_best_gives_up(trainer));
}

thaw_trainer_position thaw_trainer_position_of(const thaw_trainer *trainer)
{
    return trainer->position;
}

size_t thaw_trainer_epoch_steps(const thaw_trainer *trainer)
{
    return trainer->epoch_steps;
}

const thaw_fit_options *thaw_trainer_options(const thaw_trainer *trainer)
{
    return &trainer->options;
}

const thaw_epoch_result *thaw_trainer_result(const thaw_trainer *trainer)
{
    return &trainer->epoch_result;
}
