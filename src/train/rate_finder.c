/* thaw_find_rate. */
#include <math.h>
#include <string.h>
#include <thaw/runtime.h>
#include <thaw/train.h>

#include "core/context.h"
#include "data/loader.h"
#include "graph/model.h"
#include "train/inputs.h"
#include "train/rate_curve.h"

enum { FEWEST_STEPS = 10, MOST_STEPS = 10000, DIVERGED = 4 };

static const double SMOOTHING = 0.98;

/* ---------------------------------------------------------------- what the test must not change */

typedef struct saved {
    float **values; /* by parameter; NULL where nothing changes */
    uint64_t steps;
} saved;

static bool changes(const thaw_parameter *parameter)
{
    return thaw_parameter_role(parameter) == THAW_STATISTIC || thaw_parameter_trainability(parameter) != THAW_FROZEN ||
           thaw_parameter_trainable(parameter);
}

static void release(thaw_model *model, saved *before)
{
    for (size_t i = 0; before->values && i < thaw_model_parameter_count(model); i++)
        thaw_release(model->context, before->values[i]);
    thaw_release(model->context, before->values);
}

static thaw_status save(thaw_model *model, saved *before)
{
    const size_t count = thaw_model_parameter_count(model);
    *before =
        (saved){ .values = thaw_allocate_array(model->context, count, sizeof *before->values), .steps = model->steps };
    if (!before->values)
        return THAW_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        const thaw_parameter *parameter = thaw_model_parameter(model, i);
        const size_t elements = thaw_shape_count(thaw_parameter_shape(parameter));
        if (!changes(parameter))
            continue;
        before->values[i] = thaw_allocate_array(model->context, elements, sizeof(float));
        if (!before->values[i]) {
            release(model, before);
            return THAW_OUT_OF_MEMORY;
        }
        memcpy(before->values[i], thaw_parameter_data(parameter), elements * sizeof(float));
    }
    return THAW_OK;
}

static thaw_status restore(thaw_model *model, saved *before)
{
    for (size_t i = 0; i < thaw_model_parameter_count(model); i++)
        if (before->values[i]) {
            thaw_parameter *parameter = thaw_model_parameter(model, i);
            memcpy(thaw_parameter_edit(parameter), before->values[i],
                   thaw_shape_count(thaw_parameter_shape(parameter)) * sizeof(float));
        }
    model->steps = before->steps;
    release(model, before);
    return thaw_select_release_state(model, "*");
}

/* ---------------------------------------------------------------- the test */

/* The rate that factors are relative to; 0: there is none. */
static double largest_rate(thaw_model *model)
{
    double largest = 0;
    for (size_t i = 0; i < thaw_model_group_count(model); i++) {
        thaw_group *group = thaw_model_group(model, i);
        bool trains = false;
        for (size_t k = 0; k < thaw_group_parameter_count(group); k++)
            trains |= thaw_parameter_trainable(thaw_group_parameter(group, k));
        const double rate = thaw_group_learning_rate(group);
        if (trains && rate > largest)
            largest = rate;
    }
    return largest;
}

static thaw_tensor view(thaw_dtype dtype, size_t count, const thaw_shape *shape, const void *data)
{
    thaw_tensor made = { .dtype = dtype, .shape = { shape->rank + 1, { (int64_t)count } }, .data = (void *)data };
    memcpy(made.shape.dims + 1, shape->dims, (size_t)shape->rank * sizeof *shape->dims);
    return made;
}

static thaw_status next_batch(thaw_loader *loader, uint64_t *epoch, thaw_batch *batch)
{
    thaw_status status = thaw_loader_next(loader, batch);
    if (status != THAW_OK || batch->count)
        return status;
    thaw_loader_start_epoch(loader, ++*epoch);
    return thaw_loader_next(loader, batch);
}

static thaw_status step(thaw_model *model, const thaw_batch *batch, const thaw_rate_options *options, double factor,
                        thaw_step_result *taken)
{
    const thaw_graph_node *loss = &model->nodes[thaw_model_loss(model)];
    const thaw_tensor targets = view(loss->target_dtype, batch->count, &loss->target, batch->targets);
    const thaw_packed_batch samples = { batch->samples, (int64_t)batch->count, model->longest };
    return thaw_step_samples(model, &samples, &targets,
                             &(thaw_step_options){ .rate_factor = factor, .clip_norm = options->clip_norm }, taken);
}

static thaw_status run(thaw_model *model, thaw_loader *loader, const thaw_rate_options *options, double base,
                       thaw_rate_result *result)
{
    double average = 0, least = INFINITY;
    uint64_t epoch = 1;
    thaw_loader_start_epoch(loader, epoch);
    for (size_t i = 0; i < options->steps; i++) {
        thaw_batch batch;
        thaw_step_result taken;
        thaw_rate_point *point = &result->points[i];
        point->rate = options->from * pow(options->to / options->from, (double)i / (double)(options->steps - 1));
        thaw_status status = next_batch(loader, &epoch, &batch);
        if (status == THAW_OK)
            status = step(model, &batch, options, point->rate / base, &taken);
        result->diverged = i > 0 && (status == THAW_NOT_FINITE || (status == THAW_OK && taken.skipped));
        if (result->diverged)
            return THAW_OK;
        if (status != THAW_OK)
            return status;
        average = SMOOTHING * average + (1 - SMOOTHING) * taken.loss;
        point->loss = taken.loss;
        point->smoothed = average / (1 - pow(SMOOTHING, (double)(i + 1)));
        result->count = i + 1;
        least = fmin(least, point->smoothed);
        result->diverged = point->smoothed > DIVERGED * least;
        if (options->on_step && !options->on_step(options->user, i + 1, options->steps))
            return thaw_fail(model->context, THAW_STOPPED, "the test of learning rates was stopped");
        if (result->diverged)
            return THAW_OK;
    }
    return THAW_OK;
}

static thaw_status suggest(thaw_context *context, thaw_rate_result *result)
{
    size_t *lengths = thaw_allocate_array(context, 2 * result->count + 1, sizeof *lengths);
    if (!lengths)
        return THAW_OUT_OF_MEMORY;
    result->valley = thaw_rate_valley(result->points, result->count, lengths, lengths + result->count);
    result->steepest = thaw_rate_steepest(result->points, result->count);
    thaw_release(context, lengths);
    return THAW_OK;
}

static thaw_status complete(thaw_model *model, const thaw_rate_options *given, thaw_rate_options *options)
{
    *options = given ? *given : (thaw_rate_options){ 0 };
    options->from = options->from == 0 ? 1e-7 : options->from;
    options->to = options->to == 0 ? 10 : options->to;
    options->steps = options->steps ? options->steps : 100;
    options->batch = options->batch ? options->batch : 128;
    thaw_context *context = model->context;
    if (!(options->from > 0 && options->to > options->from && isfinite(options->to)))
        return thaw_fail(context, THAW_INVALID_ARGUMENT,
                         "learning rates go from %g to %g, must be above 0, rising and finite", options->from,
                         options->to);
    if (options->steps < FEWEST_STEPS || options->steps > MOST_STEPS || options->batch < 1)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "steps is %zu, must be from %d to %d", options->steps,
                         FEWEST_STEPS, MOST_STEPS);
    if (thaw_model_loss(model) < 0)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "the model has no loss");
    return THAW_OK;
}

thaw_status thaw_find_rate(thaw_model *model, thaw_dataset *dataset, const thaw_rate_options *given,
                           thaw_rate_result *result)
{
    thaw_context *context = model->context;
    thaw_rate_options options;
    thaw_loader *loader = NULL;
    thaw_dataset *arranged = NULL;
    saved before;
    *result = (thaw_rate_result){ .valley = NAN, .steepest = NAN };
    thaw_status status = complete(model, given, &options);
    const double base = largest_rate(model);
    if (status == THAW_OK && base == 0)
        status = thaw_fail(context, THAW_INVALID_ARGUMENT, "no group that trains has a learning rate above 0");
    if (status == THAW_OK)
        status = thaw_match_fields(model, &dataset, &arranged);
    if (status == THAW_OK && (status = save(model, &before)) != THAW_OK)
        thaw_dataset_destroy(arranged);
    if (status != THAW_OK)
        return status;
    result->points = thaw_allocate_array(context, options.steps, sizeof *result->points);
    status = result->points ? THAW_OK : THAW_OUT_OF_MEMORY;
    if (status == THAW_OK)
        status = thaw_loader_create(context, dataset,
                                    &(thaw_loader_options){
                                        .batch = (size_t)options.batch, .shuffle = true, .seed = context->seed },
                                    &loader);
    if (status == THAW_OK)
        status = run(model, loader, &options, base, result);
    thaw_loader_destroy(loader);
    thaw_dataset_destroy(arranged);
    const thaw_status restored = restore(model, &before);
    if (status == THAW_OK)
        status = restored;
    if (status == THAW_OK)
        status = suggest(context, result);
    if (status != THAW_OK && status != THAW_STOPPED) {
        thaw_release(context, result->points);
        result->points = NULL;
        result->count = 0;
    }
    return status;
}
