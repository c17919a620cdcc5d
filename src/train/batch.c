#include "train/batch.h"

#include <math.h>

#include "core/clock.h"
#include "core/number.h"
#include "params/finite.h"
#include "train/shards.h"

/* Counts the samples whose label is not ignored, and those of them whose largest output is at the label. Targets
   that are not labels count nothing. */
static void count_correct(const thaw_model *model, const float *outputs, const void *targets, int64_t count,
                          size_t *correct, size_t *counted)
{
    const thaw_graph_node *loss = &model->nodes[thaw_model_loss(model)];
    if (loss->target_dtype != THAW_I32)
        return;
    const int32_t *labels = targets;
    const size_t classes = thaw_shape_count(&model->nodes[loss->inputs[0]].output);
    for (size_t i = 0; i < (size_t)count; i++) {
        if (loss->ignores && labels[i] == loss->ignored_label)
            continue;
        const float *row = outputs + i * classes;
        size_t best = 0;
        for (size_t k = 1; k < classes; k++)
            if (row[k] > row[best])
                best = k;
        *correct += labels[i] == (int32_t)best;
        ++*counted;
    }
}

double thaw_batches_mean(double total, double weight)
{
    return weight > 0 ? total / weight : NAN;
}

/* See thaw_layer_module.weigh. */
static void weigh_loss(const thaw_plan *plan, double *total, double *weight)
{
    const thaw_layer_module *module = plan->model->nodes[plan->target].module;
    *weight = (double)plan->batch;
    *total = (double)*thaw_plan_output(plan, plan->target) * *weight;
    if (module->weigh)
        module->weigh(&plan->nodes[plan->target].bound.run, total, weight);
}

/* Where the targets of a sample begin. */
static const void *target_at(const thaw_plan *plan, const void *targets, size_t sample)
{
    const thaw_graph_node *loss = &plan->model->nodes[plan->target];
    return (const char *)targets + sample * thaw_shape_count(&loss->target) * thaw_dtype_bytes(loss->target_dtype);
}

/* Runs the prefix, from samples or from the feature cache's rows, then the live part and the loss. */
static thaw_status run_forward(thaw_plan *plan, const thaw_taken_step *taken, thaw_shard_part part)
{
    const thaw_training_batch *batch = taken->batch;
    thaw_program_step *step = &plan->program.step;
    step->keep = batch->on_prefix;
    step->argument = batch->argument;
    const size_t own_first = part.first - batch->first;
    step->own_first = own_first;
    step->first = part.first;
    thaw_status status = thaw_program_prepare(plan);
    if (batch->samples)
        thaw_program_feed_samples(plan, batch->samples + own_first * thaw_shape_count(&plan->model->nodes[0].output));
    else
        thaw_program_feed_features(plan, batch->features, (size_t)batch->count, own_first);
    if (status == THAW_OK)
        status = thaw_program_run(plan, batch->samples ? THAW_SECTION_PREFIX : THAW_SECTION_CACHED);
    if (status == THAW_OK && batch->samples && batch->on_prefix)
        status = thaw_program_run(plan, THAW_SECTION_KEEP);
    step->target = target_at(plan, batch->targets, own_first);
    step->random = (thaw_stream){ .seed = taken->seed, .step = plan->model->steps };
    if (status == THAW_OK)
        status = thaw_program_run(plan, THAW_SECTION_FORWARD);
    return status == THAW_OK ? thaw_program_run(plan, THAW_SECTION_LOSS) : status;
}

void thaw_end_phase(double *seconds, double *start)
{
    if (!seconds)
        return;
    const double now = thaw_seconds();
    *seconds += now - *start;
    *start = now;
}

thaw_status thaw_run_part(thaw_plan *plan, thaw_taken_step *taken, thaw_shard_part part, thaw_shard_outcome *outcome)
{
    const thaw_model *model = plan->model;
    thaw_phase_seconds *phases = taken->batch->phases;
    *outcome = (thaw_shard_outcome){ .loss = NAN, .samples = (double)part.count };
    thaw_status status = run_forward(plan, taken, part);
    if (status != THAW_OK)
        return status;
    const double loss = outcome->loss = (double)*thaw_plan_output(plan, plan->target);
    if (!isfinite(loss))
        return thaw_fail(model->context, THAW_NOT_FINITE,
                         "the loss is %g: the learning rate may be too high, or the data may contain NaN",
                         thaw_printed(loss));
    size_t correct = 0, counted = 0;
    weigh_loss(plan, &outcome->total, &outcome->weight);
    count_correct(model, thaw_plan_output(plan, thaw_model_output(model)), plan->program.step.target,
                  (int64_t)part.count, &correct, &counted);
    outcome->correct = (double)correct;
    outcome->counted = (double)counted;
    thaw_end_phase(phases ? &phases->forward : NULL, &taken->start);
    return THAW_OK;
}

thaw_status thaw_run_part_backward(thaw_plan *plan, thaw_taken_step *taken)
{
    thaw_phase_seconds *phases = taken->batch->phases;
    const thaw_status status = thaw_program_run(plan, THAW_SECTION_BACKWARD);
    thaw_end_phase(phases ? &phases->backward : NULL, &taken->start);
    return status;
}

void thaw_take_outcome(thaw_step_result *result, const thaw_shard_outcome *outcome)
{
    result->loss = outcome->loss;
    result->loss_total = outcome->total;
    result->loss_weight = outcome->weight;
    result->correct = (size_t)outcome->correct;
    result->counted = (size_t)outcome->counted;
}

/* Writes NaN to the outputs of samples that are not finite, since a kernel may have turned NaN into a number: see
   params/finite.h. */
static void spoil_outputs(const thaw_plan *plan, const float *samples)
{
    const thaw_graph_node *nodes = plan->model->nodes;
    const thaw_node output = thaw_model_output(plan->model);
    const size_t inputs = thaw_shape_count(&nodes[0].output), outputs = thaw_shape_count(&nodes[output].output);
    thaw_context *context = plan->model->context;
    if (thaw_values_finite(context, samples, (size_t)plan->batch * inputs))
        return;
    float *values = (float *)(uintptr_t)thaw_plan_output(plan, output);
    for (size_t i = 0; i < (size_t)plan->batch; i++)
        if (!thaw_values_finite(context, samples + i * inputs, inputs))
            for (size_t k = 0; k < outputs; k++)
                if (isfinite(values[i * outputs + k]))
                    values[i * outputs + k] = NAN;
}

thaw_status thaw_evaluate_batch(thaw_model *model, const float *samples, const void *targets, int64_t count,
                                thaw_batch_outcome *outcome)
{
    *outcome = (thaw_batch_outcome){ 0 };
    thaw_plan *plan;
    thaw_status status = thaw_set_check_finite(&model->parameters, "the model cannot be evaluated");
    if (status == THAW_OK)
        status = thaw_plan_find(model, count, false, &plan);
    if (status != THAW_OK)
        return status;
    const bool has_loss = thaw_model_loss(model) >= 0;
    plan->program.step = (thaw_program_step){ .target = targets };
    status = thaw_program_prepare(plan);
    thaw_program_feed_samples(plan, samples);
    if (status == THAW_OK)
        status = thaw_program_run(plan, THAW_SECTION_PREFIX);
    if (status == THAW_OK)
        spoil_outputs(plan, samples);
    if (status == THAW_OK && targets)
        status = thaw_program_run(plan, THAW_SECTION_LOSS);
    if (status != THAW_OK)
        return status;
    outcome->outputs = thaw_plan_output(plan, thaw_model_output(model));
    if (has_loss && targets) {
        weigh_loss(plan, &outcome->total, &outcome->weight);
        count_correct(model, outcome->outputs, targets, count, &outcome->correct, &outcome->counted);
    }
    return THAW_OK;
}
