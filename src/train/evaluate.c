/* Evaluating a data set, alone or on several ranks. */
#include "train/evaluation.h"

#include <math.h>

#include "core/clock.h"
#include "core/threads.h"
#include "data/dataset.h"
#include "data/loader.h"
#include "distributed/exchange.h"
#include "train/batch.h"
#include "train/classified_batches.h"
#include "train/evaluation_batch.h"
#include "train/inputs.h"
#include "train/label_counts.h"

enum { DEFAULT_BATCH = 128 };

/* What a batch came to. */
typedef struct figures {
    double total, weight; /* see thaw_layer_module.weigh */
    uint64_t samples;
} figures;

/* An evaluation under way. */
typedef struct evaluation {
    thaw_model *model;
    thaw_dataset *dataset;
    size_t batch, steps;
    const thaw_communicator *communicator; /* NULL: no other ranks */
    size_t ranks, rank;
    thaw_test_cache *cache; /* NULL: none, or nothing is worth it */
    thaw_loader *loader;
    thaw_label_counts counts;
    figures *own; /* of this rank's batches; room for those of the rank with the most */
    const thaw_evaluation_options *options;
    thaw_classified_batches classified;
    thaw_evaluation_progress progress;
} evaluation;

/* The batches of a rank, one after the other. */
static thaw_shard_part batches_of(const evaluation *job, size_t rank)
{
    return thaw_shard_part_of(job->steps, job->ranks, rank);
}

/* The samples of this rank. */
static thaw_shard_part own_samples(const evaluation *job)
{
    const thaw_shard_part batches = batches_of(job, job->rank);
    const size_t count = thaw_dataset_count(job->dataset), first = batches.first * job->batch;
    const size_t past = (batches.first + batches.count) * job->batch;
    return batches.count ? (thaw_shard_part){ first, (past < count ? past : count) - first } : (thaw_shard_part){ 0 };
}

/* Whether the samples are to be read from the cache. */
static bool is_cached(const evaluation *job)
{
    return job->cache && job->cache->used;
}

static thaw_status prepare_cache(evaluation *job)
{
    thaw_test_cache *cache = job->cache;
    thaw_plan *plan;
    if (!cache)
        return THAW_OK;
    cache->used = false;
    thaw_status status = thaw_test_cache_plan(cache, job->model, job->dataset, job->batch, &plan);
    if (status != THAW_OK)
        return status;
    if (thaw_plan_cache_bytes(plan) == 0) {
        thaw_test_cache_drop(cache);
        job->cache = NULL;
        return THAW_OK;
    }
    status = thaw_test_cache_prepare(cache, plan, job->dataset, own_samples(job));
    cache->used = status == THAW_OK && cache->features && thaw_feature_cache_complete(cache->features);
    return status;
}

static thaw_status open_loader(evaluation *job)
{
    thaw_dataset *source = is_cached(job) ? thaw_feature_cache_dataset(job->cache->features) : job->dataset;
    const thaw_loader_options options = { .batch = job->batch, .by_length = true, .on_caller = is_cached(job) };
    return thaw_loader_create(job->model->context, source, &options, &job->loader);
}

static thaw_status note_progress(evaluation *job, size_t count)
{
    const thaw_evaluation_options *options = job->options;
    job->progress.samples += count;
    if (!options->on_batch || options->on_batch(options->user, &job->progress))
        return THAW_OK;
    return thaw_fail(job->model->context, THAW_STOPPED, "evaluation was stopped after %zu of %zu samples",
                     job->progress.samples, job->progress.all);
}

static thaw_status run_batch(evaluation *job, const thaw_batch *batch, figures *figures_of)
{
    const bool cached = is_cached(job);
    const thaw_evaluated_batch evaluated = {
        .count = (int64_t)batch->count,
        .samples = cached ? NULL : batch->samples,
        .most = job->model->longest,
        .features = cached ? batch->samples : NULL,
        .targets = batch->targets,
        .indices = batch->indices,
        .cut = job->cache ? &job->cache->budget : NULL,
        .cache = job->cache ? job->cache->features : NULL,
    };
    thaw_batch_outcome outcome;
    const thaw_status status = thaw_evaluate_batch(job->model, &evaluated, &outcome);
    if (status != THAW_OK)
        return status;
    *figures_of = (figures){ outcome.total, outcome.weight, batch->count };
    thaw_label_counts_add(&job->counts, job->model, outcome.outputs, outcome.targets, outcome.labels);
    return thaw_classified_batches_add(&job->classified, outcome.outputs, batch->targets, batch->count);
}

static thaw_status run_batches(evaluation *job)
{
    const thaw_shard_part part = batches_of(job, job->rank);
    thaw_batch batch;
    thaw_status status = THAW_OK;
    thaw_loader_start_epoch_between(job->loader, 0, part.first, part.first + part.count);
    for (size_t i = 0; i < part.count && status == THAW_OK; i++) {
        status = thaw_loader_next(job->loader, &batch);
        if (status == THAW_OK)
            status = run_batch(job, &batch, &job->own[i]);
        if (status == THAW_OK)
            status = note_progress(job, batch.count);
    }
    return status;
}

/* In the order of the batches: the sums are the same for any number of ranks. */
static void add_up(const evaluation *job, const figures *all, thaw_evaluation *result)
{
    const size_t most = batches_of(job, 0).count;
    double total = 0, weight = 0;
    for (size_t rank = 0; rank < job->ranks; rank++)
        for (size_t i = 0; i < batches_of(job, rank).count; i++) {
            const figures *batch = &all[rank * most + i];
            total += batch->total;
            weight += batch->weight;
            result->samples += batch->samples;
        }
    result->loss = thaw_batches_mean(total, weight);
}

static thaw_status share(evaluation *job, size_t most, void **all)
{
    thaw_context *context = job->model->context;
    thaw_status status = thaw_gather(context, job->communicator, job->own, most * sizeof *job->own, all);
    return status == THAW_OK ? thaw_label_counts_gather(context, job->communicator, &job->counts) : status;
}

static thaw_status run(evaluation *job, thaw_evaluation *result)
{
    thaw_context *context = job->model->context;
    const size_t most = batches_of(job, 0).count;
    void *all = NULL;
    job->own = thaw_allocate_array(context, most, sizeof *job->own);
    thaw_status status = job->own ? thaw_label_counts_create(job->model, &job->counts) : THAW_OUT_OF_MEMORY;
    if (status == THAW_OK)
        status = prepare_cache(job);
    if (status == THAW_OK)
        status = open_loader(job);
    if (status == THAW_OK)
        status = run_batches(job);
    if (status == THAW_OK && job->communicator)
        status = share(job, most, &all);
    if (status == THAW_OK)
        add_up(job, all ? all : job->own, result);
    thaw_loader_destroy(job->loader);
    if (job->cache)
        thaw_test_cache_check(job->cache, context);
    thaw_release(context, all);
    thaw_release(context, job->own);
    return status;
}

static void take_counts(const evaluation *job, thaw_evaluation *result)
{
    if (thaw_model_loss(job->model) < 0)
        result->loss = NAN;
    if (thaw_model_loss(job->model) < 0 || thaw_dataset_classes(job->dataset) == 0)
        return;
    result->accuracy = thaw_label_counts_accuracy(&job->counts);
    result->top5_accuracy = thaw_label_counts_top5(&job->counts);
    result->macro_f1 = thaw_label_counts_macro_f1(&job->counts);
    if (thaw_model_labels_tokens(job->model))
        result->perplexity = exp(result->loss);
}

static thaw_status evaluate_matched(evaluation *job, thaw_evaluation *result)
{
    thaw_context *context = job->model->context;
    thaw_status status = thaw_check_dataset(job->model, job->dataset);
    if (status != THAW_OK)
        return status;
    const size_t all = thaw_dataset_count(job->dataset), most = job->batch < all ? job->batch : all;
    job->steps = (all + job->batch - 1) / job->batch;
    if (job->communicator && thaw_dataset_has_lengths(job->dataset))
        job->cache = NULL; /* the ranks' batches, of like lengths, are no ranges of samples */
    job->progress.all = own_samples(job).count;
    status = thaw_classified_batches_begin(&job->classified, job->model, job->options->classification, most);
    if (status != THAW_OK) {
        thaw_classified_batches_release(&job->classified);
        return status;
    }
    const double start = thaw_seconds();
    job->model->parameters.finite = 0; /* each evaluation looks at all values once */
    const thaw_thread_scope scope = thaw_threads_enter(context);
    status = run(job, result);
    thaw_threads_leave(scope);
    thaw_classified_batches_release(&job->classified);
    result->seconds = thaw_seconds() - start;
    if (status == THAW_OK)
        take_counts(job, result);
    thaw_label_counts_release(context, &job->counts);
    return status;
}

static thaw_status evaluate(evaluation *job, thaw_evaluation *result)
{
    thaw_dataset *arranged;
    thaw_status status = thaw_match_fields(job->model, &job->dataset, &arranged);
    if (status == THAW_OK)
        status = evaluate_matched(job, result);
    thaw_dataset_destroy(arranged);
    return status;
}

thaw_status thaw_evaluate_with_cache(thaw_model *model, thaw_dataset *dataset, const thaw_evaluation_options *options,
                                     const thaw_communicator *communicator, thaw_test_cache *cache,
                                     thaw_evaluation *result)
{
    const int64_t batch = options->batch;
    *result =
        (thaw_evaluation){ .loss = NAN, .accuracy = NAN, .top5_accuracy = NAN, .macro_f1 = NAN, .perplexity = NAN };
    thaw_status status = communicator ? thaw_communicator_check(model->context, communicator) : THAW_OK;
    if (status != THAW_OK)
        return status;
    if (batch < 0)
        status =
            thaw_fail(model->context, THAW_INVALID_ARGUMENT, "batch is %lld, must be at least 1", (long long)batch);
    const bool alone = !communicator || communicator->ranks == 1;
    evaluation job = {
        .model = model,
        .dataset = dataset,
        .options = options,
        .batch = batch ? (size_t)batch : DEFAULT_BATCH,
        .communicator = alone ? NULL : communicator,
        .ranks = alone ? 1 : (size_t)communicator->ranks,
        .rank = alone ? 0 : (size_t)communicator->rank,
        .cache = cache && cache->cuts ? cache : NULL,
    };
    if (status == THAW_OK)
        status = evaluate(&job, result);
    if (status != THAW_OK && communicator)
        thaw_give_up(communicator, thaw_context_message(model->context));
    return status;
}

thaw_status thaw_evaluate(thaw_model *model, thaw_dataset *dataset, int64_t batch, thaw_evaluation *result)
{
    return thaw_evaluate_with(model, dataset, &(thaw_evaluation_options){ .batch = batch }, result);
}

thaw_status thaw_evaluate_with(thaw_model *model, thaw_dataset *dataset, const thaw_evaluation_options *options,
                               thaw_evaluation *result)
{
    static const thaw_evaluation_options nothing = { 0 };
    return thaw_evaluate_with_cache(model, dataset, options ? options : &nothing, NULL, NULL, result);
}

thaw_status thaw_ranks_evaluate(thaw_model *model, thaw_dataset *dataset, int64_t batch,
                                const thaw_communicator *communicator, thaw_evaluation *result)
{
    const thaw_evaluation_options options = { .batch = batch };
    const thaw_status status = thaw_communicator_check(model->context, communicator);
    *result =
        (thaw_evaluation){ .loss = NAN, .accuracy = NAN, .top5_accuracy = NAN, .macro_f1 = NAN, .perplexity = NAN };
    return status == THAW_OK ? thaw_evaluate_with_cache(model, dataset, &options, communicator, NULL, result) : status;
}
