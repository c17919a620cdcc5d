#include <math.h>
#include <string.h>

#include "core/clock.h"
#include "core/context.h"
#include "core/threads.h"
#include "data/dataset.h"
#include "data/loader.h"
#include "features/cache_choice.h"
#include "features/feature_cache.h"
#include "train/session.h"

/* One run of thaw_fit. */
typedef struct fit {
    thaw_model *model;
    thaw_dataset *dataset;
    thaw_fit_options options;
    thaw_loader *loader;
    thaw_dataset *loaded; /* what the loader reads: the data set, or the cache */
    thaw_feature_cache *cache;
    size_t epoch_steps, done_steps; /* done: over all epochs */
    thaw_epoch_report report;
} fit;

/* What an epoch adds up. */
typedef struct sums {
    double loss, weight; /* see thaw_step_result */
    size_t samples, correct, counted;
} sums;

static thaw_status check_options(const fit *run)
{
    thaw_context *context = run->model->context;
    const thaw_fit_options *options = &run->options;
    if (options->epochs < 0)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "%d epochs: there is at least 1", options->epochs);
    if (options->batch < 0)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "a batch of %lld samples: it has at least 1",
                         (long long)options->batch);
    if (!isfinite(options->clip_norm) || options->clip_norm < 0)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "clip norm %g: it is finite and not negative",
                         options->clip_norm);
    return THAW_OK;
}

static void look_only(void *argument, thaw_selected selected)
{
    (void)argument;
    (void)selected;
}

/* Before the first step, not hours later: patterns that match nothing, data that does not fit. */
static thaw_status check(const fit *run)
{
    thaw_status status = check_options(run);
    if (status == THAW_OK && thaw_model_loss(run->model) < 0)
        status = thaw_fail(run->model->context, THAW_INVALID_ARGUMENT, "the model has no loss to train on");
    if (status == THAW_OK)
        status = thaw_check_dataset(run->model, run->dataset);
    if (status == THAW_OK && run->options.test)
        status = thaw_check_dataset(run->model, run->options.test);
    for (size_t i = 0; status == THAW_OK && i < run->options.thaw_point_count; i++)
        status = thaw_set_select(&run->model->parameters, run->options.thaw_points[i].pattern, look_only, NULL);
    return status;
}

static thaw_status apply_thaw_points(const fit *run, int epoch)
{
    thaw_status status = THAW_OK;
    for (size_t i = 0; status == THAW_OK && i < run->options.thaw_point_count; i++) {
        const thaw_thaw_point *point = &run->options.thaw_points[i];
        if (point->epoch != epoch)
            continue;
        status = point->freeze ? thaw_model_freeze(run->model, point->pattern)
                               : thaw_model_unfreeze(run->model, point->pattern);
    }
    return status;
}

static thaw_status open_loader(fit *run, thaw_dataset *dataset)
{
    if (run->loader && run->loaded == dataset)
        return THAW_OK;
    thaw_loader_destroy(run->loader);
    run->loader = NULL;
    run->loaded = dataset;
    const thaw_loader_options options = {
        .batch = (size_t)run->options.batch,
        .drop_last = run->options.drop_last,
        .shuffle = !run->options.no_shuffle,
        .seed = run->options.seed,
        .on_caller = dataset != run->dataset, /* the cache reads with all threads, quicker than a thread is woken */
    };
    return thaw_loader_create(run->model->context, dataset, &options, &run->loader);
}

/* Closes the loader first where it reads the cache. */
static void drop_cache(fit *run)
{
    if (run->cache && run->loaded == thaw_feature_cache_dataset(run->cache)) {
        thaw_loader_destroy(run->loader);
        run->loader = NULL;
        run->loaded = NULL;
    }
    thaw_feature_cache_release(run->cache);
    run->cache = NULL;
}

/* A file that takes no more rows costs the cache, not the run. */
static void drop_broken_cache(fit *run)
{
    const int reason = run->cache ? thaw_feature_cache_error(run->cache) : 0;
    if (reason == 0)
        return;
    thaw_log(run->model->context, THAW_LOG_WARNING, "%s: cannot write the feature cache: %s; training goes on without",
             run->options.cache_file, strerror(reason));
    drop_cache(run);
    run->options.cache_file = NULL;
    run->report.cache_bytes = 0;
    run->report.cache_on_disk = false;
}

/* Keeps the cache, drops it when the prefix has changed, or makes one when another epoch, or another run, can profit. */
static thaw_status choose_cache(fit *run, thaw_plan *plan, int epoch)
{
    const thaw_fit_options *options = &run->options;
    drop_broken_cache(run);
    if (run->cache && !thaw_feature_cache_fits(run->cache, plan))
        drop_cache(run);
    if (run->cache || !thaw_cache_pays(plan, options, epoch))
        return THAW_OK;
    return thaw_feature_cache_create(plan, run->dataset, options->cache_bytes, options->cache_file, &run->cache);
}

/* Compiles what the epoch will run, so that its steps only run. */
static thaw_status prepare_epoch(fit *run, int epoch)
{
    run->model->cache = thaw_cache_budget_of(&run->options, run->dataset);
    thaw_status status = apply_thaw_points(run, epoch);
    const size_t count = thaw_dataset_count(run->dataset), rest = count % (size_t)run->options.batch;
    thaw_plan *plan;
    if (status == THAW_OK && rest && !run->options.drop_last)
        status = thaw_plan_find(run->model, (int64_t)rest, true, &plan);
    if (status == THAW_OK && count >= (size_t)run->options.batch)
        status = thaw_plan_find(run->model, run->options.batch, true, &plan);
    if (status == THAW_OK)
        status = choose_cache(run, plan, epoch);
    if (status != THAW_OK)
        return status;
    const bool cached = run->cache && thaw_feature_cache_complete(run->cache);
    status = open_loader(run, cached ? thaw_feature_cache_dataset(run->cache) : run->dataset);
    const thaw_plan_totals totals = thaw_plan_totals_of(plan);
    run->report.cached = cached;
    run->report.trainable_parameters = totals.trainable_parameters;
    run->report.gradient_bytes = totals.gradient_bytes;
    run->report.optimizer_state_bytes = totals.optimizer_state_bytes;
    run->report.activation_bytes = totals.activation_bytes;
    run->report.cache_bytes = thaw_feature_cache_bytes(run->cache);
    run->report.cache_on_disk = thaw_feature_cache_on_disk(run->cache);
    return status;
}

typedef struct capture {
    fit *run;
    const thaw_batch *batch;
} capture;

static void keep_features(void *argument, const thaw_plan *plan)
{
    const capture *kept = argument;
    thaw_feature_cache_keep(kept->run->cache, plan, kept->batch->indices, kept->batch->targets, kept->batch->count);
}

/* A callback may have changed what the cache was filled from. */
static thaw_status check_cache(fit *run, const thaw_plan *plan)
{
    drop_broken_cache(run);
    if (!run->cache || thaw_feature_cache_fits(run->cache, plan))
        return THAW_OK;
    if (run->report.cached)
        return thaw_fail(run->model->context, THAW_INVALID_ARGUMENT,
                         "the frozen prefix was changed while an epoch reads its cached outputs: change it between "
                         "epochs");
    drop_cache(run);
    return THAW_OK;
}

static thaw_status train_one(fit *run, const thaw_batch *batch, sums *sum)
{
    const size_t all_steps = run->epoch_steps * (size_t)run->options.epochs;
    run->report.rate_factor =
        thaw_schedule_factor(&run->options.schedule, run->done_steps, run->epoch_steps, all_steps);
    const thaw_step_options options = {
        .rate_factor = run->report.rate_factor,
        .clip_norm = run->options.clip_norm,
    };
    thaw_plan *plan;
    thaw_status status = thaw_plan_find(run->model, (int64_t)batch->count, true, &plan);
    if (status == THAW_OK)
        status = check_cache(run, plan);
    if (status != THAW_OK)
        return status;
    capture kept = { run, batch };
    const bool keeps = run->cache && !run->report.cached;
    const thaw_training_batch training = {
        .count = (int64_t)batch->count,
        .samples = run->report.cached ? NULL : batch->samples,
        .features = run->report.cached ? batch->samples : NULL,
        .targets = batch->targets,
        .on_prefix = keeps ? keep_features : NULL,
        .argument = &kept,
        .phases = run->options.time_phases ? &run->report.phases : NULL,
    };
    thaw_step_result result;
    status = thaw_train_batch(plan, &training, &options, run->options.seed, &result);
    if (status != THAW_OK)
        return status;
    run->done_steps++;
    run->report.skipped_steps += result.skipped;
    sum->loss += result.loss_total;
    sum->weight += result.loss_weight;
    sum->samples += batch->count;
    sum->correct += result.correct;
    sum->counted += result.counted;
    return THAW_OK;
}

static thaw_status report_step(const fit *run, size_t step, const sums *sum)
{
    if (!run->options.on_step)
        return THAW_OK;
    const thaw_progress progress = {
        .epoch = run->report.epoch,
        .epochs = run->options.epochs,
        .step = step,
        .steps = run->epoch_steps,
        .loss = thaw_batches_mean(sum->loss, sum->weight),
    };
    if (run->options.on_step(run->options.user, &progress))
        return THAW_OK;
    return thaw_fail(run->model->context, THAW_STOPPED, "stopped in epoch %d, after step %zu", progress.epoch, step);
}

static thaw_status train_epoch(fit *run)
{
    sums sum = { 0 };
    const double start = thaw_seconds();
    thaw_loader_start_epoch(run->loader, (uint64_t)run->report.epoch);
    thaw_status status;
    for (size_t step = 1;; step++) {
        thaw_batch batch;
        const double asked = run->options.time_phases ? thaw_seconds() : 0;
        status = thaw_loader_next(run->loader, &batch);
        if (run->options.time_phases)
            run->report.phases.data += thaw_seconds() - asked;
        if (status != THAW_OK || batch.count == 0)
            break;
        status = train_one(run, &batch, &sum);
        if (status == THAW_OK)
            status = report_step(run, step, &sum);
        if (status != THAW_OK)
            break;
    }
    run->report.seconds = thaw_seconds() - start;
    run->report.samples_per_second = (double)sum.samples / run->report.seconds;
    run->report.loss = thaw_batches_mean(sum.loss, sum.weight);
    run->report.accuracy = NAN;
    if (thaw_dataset_classes(run->dataset))
        run->report.accuracy = thaw_batches_mean((double)sum.correct, (double)sum.counted);
    return status;
}

static thaw_status run_epoch(fit *run, int epoch)
{
    run->report = (thaw_epoch_report){
        .epoch = epoch,
        .epochs = run->options.epochs,
        .test_loss = NAN,
        .test_accuracy = NAN,
    };
    thaw_status status = prepare_epoch(run, epoch);
    if (status == THAW_OK)
        status = train_epoch(run);
    if (status == THAW_OK && run->options.test) {
        thaw_evaluation test;
        status = thaw_evaluate(run->model, run->options.test, run->options.batch, &test);
        run->report.test_loss = test.loss;
        run->report.test_accuracy = test.accuracy;
    }
    if (status == THAW_OK && run->options.on_epoch && !run->options.on_epoch(run->options.user, &run->report))
        status = thaw_fail(run->model->context, THAW_STOPPED, "stopped after epoch %d", epoch);
    return status;
}

thaw_status thaw_fit(thaw_model *model, thaw_dataset *dataset, const thaw_fit_options *options,
                     thaw_epoch_report *report)
{
    fit run = { .model = model, .dataset = dataset };
    if (options)
        run.options = *options;
    thaw_status status = check(&run);
    if (status != THAW_OK)
        return status;
    run.options.epochs = run.options.epochs ? run.options.epochs : 1;
    run.options.batch = run.options.batch ? run.options.batch : 128;
    run.options.seed = run.options.seed ? run.options.seed : model->context->seed;
    const thaw_thread_scope scope = thaw_threads_enter(model->context);
    status = open_loader(&run, dataset);
    if (status == THAW_OK)
        run.epoch_steps = thaw_loader_steps(run.loader);
    for (int epoch = 1; status == THAW_OK && epoch <= run.options.epochs; epoch++)
        status = run_epoch(&run, epoch);
    thaw_threads_leave(scope);
    drop_cache(&run);
    thaw_loader_destroy(run.loader);
    if (report)
        *report = run.report;
    return status;
}
