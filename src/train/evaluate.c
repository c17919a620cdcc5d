/* Evaluating a data set, alone or on several ranks. */
#include <math.h>

#include "core/clock.h"
#include "core/threads.h"
#include "data/loader.h"
#include "distributed/exchange.h"
#include "train/batch.h"
#include "train/classified_batches.h"

enum { DEFAULT_BATCH = 128 };

/* What a batch came to. */
typedef struct figures {
    double total, weight; /* see thaw_layer_module.weigh */
    uint64_t correct, counted, samples;
} figures;

/* An evaluation under way. */
typedef struct evaluation {
    thaw_model *model;
    const thaw_communicator *communicator; /* NULL: no other ranks */
    thaw_loader *loader;
    size_t ranks, rank;
    figures *own; /* of this rank's batches; room for those of the rank with the most */
    const thaw_evaluation_options *options;
    thaw_classified_batches classified;
    thaw_evaluation_progress progress;
} evaluation;

/* The batches of a rank, one after the other. */
static thaw_shard_part batches_of(const evaluation *job, size_t rank)
{
    return thaw_shard_part_of(thaw_loader_steps(job->loader), job->ranks, rank);
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

static thaw_status run_batches(evaluation *job)
{
    const thaw_shard_part part = batches_of(job, job->rank);
    thaw_batch batch;
    thaw_status status = THAW_OK;
    thaw_loader_start_epoch_between(job->loader, 0, part.first, part.first + part.count);
    for (size_t i = 0; i < part.count && status == THAW_OK; i++) {
        thaw_batch_outcome outcome;
        status = thaw_loader_next(job->loader, &batch);
        if (status == THAW_OK)
            status = thaw_evaluate_batch(job->model, batch.samples, batch.targets, (int64_t)batch.count, &outcome);
        if (status == THAW_OK)
            status = thaw_classified_batches_add(&job->classified, outcome.outputs, batch.targets, batch.count);
        if (status == THAW_OK)
            status = note_progress(job, batch.count);
        if (status == THAW_OK)
            job->own[i] = (figures){ outcome.total, outcome.weight, outcome.correct, outcome.counted, batch.count };
    }
    return status;
}

/* In the order of the batches: the sums are the same for any number of ranks. */
static void add_up(const evaluation *job, const figures *all, thaw_evaluation *result)
{
    const size_t most = batches_of(job, 0).count;
    double total = 0, weight = 0;
    uint64_t correct = 0, counted = 0;
    for (size_t rank = 0; rank < job->ranks; rank++)
        for (size_t i = 0; i < batches_of(job, rank).count; i++) {
            const figures *batch = &all[rank * most + i];
            total += batch->total;
            weight += batch->weight;
            correct += batch->correct;
            counted += batch->counted;
            result->samples += batch->samples;
        }
    result->loss = thaw_batches_mean(total, weight);
    result->accuracy = thaw_batches_mean((double)correct, (double)counted);
}

static thaw_status run(evaluation *job, thaw_evaluation *result)
{
    thaw_context *context = job->model->context;
    const size_t most = batches_of(job, 0).count;
    job->own = thaw_allocate_array(context, most, sizeof *job->own);
    thaw_status status = job->own ? run_batches(job) : THAW_OUT_OF_MEMORY;
    void *all = NULL;
    if (status == THAW_OK && job->communicator)
        status = thaw_gather(context, job->communicator, job->own, most * sizeof *job->own, &all);
    if (status == THAW_OK)
        add_up(job, all ? all : job->own, result);
    thaw_release(context, all);
    thaw_release(context, job->own);
    return status;
}

static thaw_status evaluate(thaw_model *model, thaw_dataset *dataset, const thaw_evaluation_options *options,
                            const thaw_communicator *communicator, thaw_evaluation *result)
{
    thaw_context *context = model->context;
    const int64_t batch = options->batch;
    const size_t most = batch > 0 ? (size_t)batch : DEFAULT_BATCH, all = thaw_dataset_count(dataset);
    evaluation job = {
        .model = model, .communicator = communicator, .ranks = 1, .options = options, .progress = { 0, all }
    };
    if (communicator) {
        job.ranks = (size_t)communicator->ranks;
        job.rank = (size_t)communicator->rank;
    }
    if (batch < 0)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "batch is %lld, must be at least 1", (long long)batch);
    thaw_status status = thaw_check_dataset(model, dataset);
    if (status != THAW_OK)
        return status;
    status = thaw_classified_batches_begin(&job.classified, model, options->classification, most < all ? most : all);
    if (status == THAW_OK)
        status = thaw_loader_create(context, dataset, &(thaw_loader_options){ .batch = most }, &job.loader);
    if (status != THAW_OK) {
        thaw_classified_batches_release(&job.classified);
        return status;
    }
    const double start = thaw_seconds();
    model->parameters.finite = 0; /* each evaluation looks at all values once */
    const thaw_thread_scope scope = thaw_threads_enter(context);
    status = run(&job, result);
    thaw_threads_leave(scope);
    thaw_loader_destroy(job.loader);
    thaw_classified_batches_release(&job.classified);
    result->seconds = thaw_seconds() - start;
    if (thaw_model_loss(model) < 0)
        result->loss = NAN;
    if (thaw_model_loss(model) < 0 || thaw_dataset_classes(dataset) == 0)
        result->accuracy = NAN;
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
    *result = (thaw_evaluation){ .loss = NAN, .accuracy = NAN };
    return evaluate(model, dataset, options ? options : &nothing, NULL, result);
}

thaw_status thaw_ranks_evaluate(thaw_model *model, thaw_dataset *dataset, int64_t batch,
                                const thaw_communicator *communicator, thaw_evaluation *result)
{
    *result = (thaw_evaluation){ .loss = NAN, .accuracy = NAN };
    thaw_status status = thaw_communicator_check(model->context, communicator);
    if (status != THAW_OK)
        return status;
    status = evaluate(model, dataset, &(thaw_evaluation_options){ .batch = batch },
                      communicator->ranks > 1 ? communicator : NULL, result);
    if (status != THAW_OK)
        thaw_give_up(communicator, thaw_context_message(model->context));
    return status;
}
