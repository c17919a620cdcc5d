#include <math.h>

#include "core/clock.h"
#include "core/threads.h"
#include "data/loader.h"
#include "train/batch.h"

enum { DEFAULT_BATCH = 128 };

static thaw_status run_batches(thaw_model *model, thaw_loader *loader, thaw_evaluation *result)
{
    double total = 0, weight = 0;
    size_t correct = 0, counted = 0;
    thaw_batch batch;
    thaw_loader_start_epoch(loader, 0);
    for (;;) {
        thaw_status status = thaw_loader_next(loader, &batch);
        if (status != THAW_OK || batch.count == 0) {
            result->loss = thaw_batches_mean(total, weight);
            result->accuracy = thaw_batches_mean((double)correct, (double)counted);
            return status;
        }
        thaw_batch_outcome outcome;
        status = thaw_evaluate_batch(model, batch.samples, batch.targets, (int64_t)batch.count, &outcome);
        if (status != THAW_OK)
            return status;
        total += outcome.total;
        weight += outcome.weight;
        correct += outcome.correct;
        counted += outcome.counted;
        result->samples += batch.count;
    }
}

thaw_status thaw_evaluate(thaw_model *model, thaw_dataset *dataset, int64_t batch, thaw_evaluation *result)
{
    *result = (thaw_evaluation){ .loss = NAN, .accuracy = NAN };
    thaw_context *context = model->context;
    if (batch < 0)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "batch is %lld, must be at least 1", (long long)batch);
    thaw_status status = thaw_check_dataset(model, dataset);
    thaw_loader *loader = NULL;
    if (status == THAW_OK)
        status = thaw_loader_create(context, dataset,
                                    &(thaw_loader_options){ .batch = batch ? (size_t)batch : DEFAULT_BATCH }, &loader);
    if (status != THAW_OK)
        return status;
    const double start = thaw_seconds();
    model->parameters.finite = 0; /* each evaluation looks at all values once */
    const thaw_thread_scope scope = thaw_threads_enter(context);
    status = run_batches(model, loader, result);
    thaw_threads_leave(scope);
    thaw_loader_destroy(loader);
    result->seconds = thaw_seconds() - start;
    if (thaw_model_loss(model) < 0)
        result->loss = NAN;
    if (thaw_model_loss(model) < 0 || thaw_dataset_classes(dataset) == 0)
        result->accuracy = NAN;
    return status;
}
