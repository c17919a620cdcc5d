#include <thaw/target_figures.h>

#include <math.h>
#include <thaw/runtime.h>
#include <thaw/train.h>

#include "data/dataset.h"
#include "train/inputs.h"

enum { DEFAULT_BATCH = 128 };

/* Sums over the samples so far, of one column. The spread is by Welford's update, which does not cancel. */
typedef struct column {
    double absolute, squared; /* errors */
    double mean, spread;      /* of the targets: their mean, and the sum of squared differences from it */
    size_t right;
} column;

typedef struct measurement {
    thaw_model *model;
    thaw_dataset *dataset;
    size_t batch, width, count; /* samples of a batch, targets of a sample, samples so far */
    size_t *indices;
    float *samples, *targets, *outputs;
    column *columns;
} measurement;

static void add(column *c, size_t number, double output, double target)
{
    const double error = output - target, difference = target - c->mean;
    c->absolute += fabs(error);
    c->squared += error * error;
    c->mean += difference / (double)number;
    c->spread += difference * (target - c->mean);
    c->right += (output > 0) == (target > 0.5);
}

static thaw_tensor batch_of(const thaw_shape *sample, size_t count, float *values)
{
    thaw_tensor batch = { .dtype = THAW_F32, .shape = { .rank = sample->rank + 1 }, .data = values };
    batch.shape.dims[0] = (int64_t)count;
    for (int i = 0; i < sample->rank; i++)
        batch.shape.dims[i + 1] = sample->dims[i];
    return batch;
}

static thaw_status measure_batch(measurement *job, size_t first)
{
    const thaw_source *source = &job->dataset->source;
    const size_t left = source->count - first, count = left < job->batch ? left : job->batch;
    for (size_t i = 0; i < count; i++)
        job->indices[i] = first + i;
    thaw_status status = thaw_dataset_read(job->dataset, job->indices, count, job->samples, job->targets);
    if (status != THAW_OK)
        return status;
    const thaw_packed_batch samples = { job->samples, (int64_t)count, job->model->longest };
    const thaw_tensor outputs = batch_of(&source->target_shape, count, job->outputs);
    status = thaw_predict_samples(job->model, &samples, &outputs);
    for (size_t i = 0; i < count && status == THAW_OK; i++) {
        job->count++;
        for (size_t k = 0; k < job->width; k++) {
            const size_t at = i * job->width + k;
            const thaw_target_scale *scale = &job->dataset->scale;
            add(&job->columns[k], job->count, thaw_target_number(scale, k, (double)job->outputs[at]),
                thaw_target_number(scale, k, (double)job->targets[at]));
        }
    }
    return status;
}

static thaw_target_figures figures_of(const column *c, size_t count)
{
    const double n = (double)count;
    return (thaw_target_figures){
        .mae = c->absolute / n,
        .rmse = sqrt(c->squared / n),
        .r2 = c->spread > 0 ? 1 - c->squared / c->spread : (double)NAN,
        .accuracy = (double)c->right / n,
    };
}

static void conclude(const measurement *job, thaw_target_figures *columns, thaw_target_figures *all)
{
    column sum = { 0 };
    double r2 = 0;
    for (size_t k = 0; k < job->width; k++) {
        const thaw_target_figures found = figures_of(&job->columns[k], job->count);
        sum.absolute += job->columns[k].absolute;
        sum.squared += job->columns[k].squared;
        sum.right += job->columns[k].right;
        r2 += found.r2 / (double)job->width;
        if (columns)
            columns[k] = found;
    }
    *all = figures_of(&sum, job->count * job->width);
    all->r2 = r2;
}

static thaw_status measure(measurement *job)
{
    thaw_context *context = job->dataset->context;
    const size_t elements = job->dataset->sample_elements;
    job->indices = thaw_allocate_array(context, job->batch, sizeof *job->indices);
    job->samples = thaw_allocate_array(context, job->batch, elements * sizeof *job->samples);
    job->targets = thaw_allocate_array(context, job->batch, job->width * sizeof *job->targets);
    job->outputs = thaw_allocate_array(context, job->batch, job->width * sizeof *job->outputs);
    job->columns = thaw_allocate_array(context, job->width, sizeof *job->columns);
    thaw_status status =
        job->indices && job->samples && job->targets && job->outputs && job->columns ? THAW_OK : THAW_OUT_OF_MEMORY;
    for (size_t first = 0; first < job->dataset->source.count && status == THAW_OK; first += job->batch)
        status = measure_batch(job, first);
    return status;
}

thaw_status thaw_evaluate_targets(thaw_model *model, thaw_dataset *dataset, int64_t batch, thaw_target_figures *columns,
                                  thaw_target_figures *all)
{
    thaw_context *context = dataset->context;
    *all = (thaw_target_figures){ .mae = NAN, .rmse = NAN, .r2 = NAN, .accuracy = NAN };
    if (batch < 0)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "batch is %lld, must be at least 1", (long long)batch);
    if (dataset->source.target_dtype != THAW_F32)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "data set: its targets are labels of classes, must be floats");
    thaw_dataset *arranged;
    thaw_status status = thaw_match_fields(model, &dataset, &arranged);
    if (status != THAW_OK)
        return status;
    measurement job = {
        .model = model,
        .dataset = dataset,
        .batch = batch ? (size_t)batch : DEFAULT_BATCH,
        .width = thaw_shape_count(&dataset->source.target_shape),
    };
    status = measure(&job);
    if (status == THAW_OK)
        conclude(&job, columns, all);
    thaw_release(context, job.indices);
    thaw_release(context, job.samples);
    thaw_release(context, job.targets);
    thaw_release(context, job.outputs);
    thaw_release(context, job.columns);
    thaw_dataset_destroy(arranged);
    return status;
}
