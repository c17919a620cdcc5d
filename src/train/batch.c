#include "train/batch.h"

#include <math.h>
#include <string.h>

#include "core/clock.h"
#include "core/number.h"
#include "train/label_counts.h"
#include "train/mixing.h"
#include "train/shards.h"

/* Counts the labels that are not ignored, and those of them at which is the largest output. Targets that are not labels
   count nothing. */
static void count_correct(const thaw_plan *plan, thaw_shard_outcome *outcome)
{
    const thaw_graph_node *loss = &plan->model->nodes[plan->target];
    const size_t classes = thaw_model_label_classes(plan->model);
    const int32_t *labels = plan->program.step.target;
    const float *outputs = thaw_plan_output(plan, thaw_model_output(plan->model));
    size_t correct = 0, counted = 0;
    for (size_t i = 0; classes && i < thaw_batch_labels(plan); i++) {
        if (!thaw_label_counts_of(loss, labels[i]))
            continue;
        correct += labels[i] == (int32_t)thaw_predicted_class(outputs + i * classes, classes);
        counted++;
    }
    outcome->correct = (double)correct;
    outcome->counted = (double)counted;
}

double thaw_batches_mean(double total, double weight)
{
    return weight > 0 ? total / weight : NAN;
}

void thaw_weigh_loss(const thaw_plan *plan, double *total, double *weight)
{
    const thaw_layer_module *module = plan->model->nodes[plan->target].module;
    *weight = (double)plan->batch;
    *total = (double)*thaw_plan_output(plan, plan->target) * *weight;
    if (module->weigh)
        module->weigh(&plan->nodes[plan->target].bound.run, total, weight);
}

int64_t thaw_batch_length(const thaw_plan *plan, const thaw_training_batch *batch, thaw_shard_part part)
{
    const thaw_model *model = plan->model;
    const size_t first = part.first - batch->first, stride = thaw_shape_count(&model->nodes[0].output);
    if (!batch->most)
        return 0;
    if (batch->samples)
        return thaw_model_batch_length(model, batch->samples + first * stride, part.count, batch->most);
    return thaw_program_features_length(plan, batch->features, (size_t)batch->count,
                                        (thaw_shard_part){ first, part.count });
}

size_t thaw_batch_labels(const thaw_plan *plan)
{
    return (size_t)plan->batch * thaw_shape_count(&plan->target_shape);
}

/* Whether all labels of a sample from `kept` on are ignored. Losses of other targets ignore what is cut off. */
static thaw_status check_cut(const thaw_plan *plan, const void *targets, size_t sample, size_t kept, size_t whole)
{
    const thaw_graph_node *loss = &plan->model->nodes[plan->target];
    const int32_t *labels = targets;
    for (size_t i = kept; loss->target_dtype == THAW_I32 && i < whole; i++)
        if (thaw_label_counts_of(loss, labels[i]))
            return thaw_fail(plan->model->context, THAW_INVALID_ARGUMENT,
                             "%s: sample %zu has label %d at place %zu, behind the end of all samples, must be the one "
                             "that is ignored",
                             loss->name, sample, (int)labels[i], i);
    return THAW_OK;
}

thaw_status thaw_set_targets(thaw_plan *plan, const void *targets, size_t first)
{
    const thaw_graph_node *loss = &plan->model->nodes[plan->target];
    const size_t whole = thaw_shape_count(&loss->target), kept = thaw_shape_count(&plan->target_shape);
    const size_t element = thaw_dtype_bytes(loss->target_dtype);
    const char *from = targets ? (const char *)targets + first * whole * element : NULL;
    plan->program.step.target = plan->targets ? plan->targets : from;
    thaw_status status = THAW_OK;
    for (size_t i = 0; plan->targets && i < (size_t)plan->batch && status == THAW_OK; i++) {
        status = check_cut(plan, from + i * whole * element, first + i, kept, whole);
        memcpy(plan->targets + i * kept * element, from + i * whole * element, kept * element);
    }
    return status;
}

static thaw_mixing mixing_of(const thaw_plan *plan, const thaw_training_batch *batch)
{
    const thaw_program_step *step = &plan->program.step;
    return (thaw_mixing){ plan->program.model->context, batch->mixing, step->random.seed,
                          batch->mixing_step,           step->first,   (size_t)plan->batch };
}

/* The rows of a cache have been mixed before. */
static void mix_outputs(const thaw_plan *plan, const thaw_training_batch *batch)
{
    const thaw_mixing part = mixing_of(plan, batch);
    size_t cut = 0;
    for (size_t i = 0; i < plan->cut_count; i++) {
        const thaw_node node = plan->order[i];
        if (!plan->nodes[node].boundary)
            continue;
        if (!thaw_model_is_input(plan->model, node))
            thaw_mixing_features(&part, cut, &plan->model->nodes[node].output,
                                 (float *)(uintptr_t)thaw_plan_output(plan, node));
        cut++;
    }
}

thaw_status thaw_feed_part(thaw_plan *plan, const thaw_taken_step *taken, thaw_shard_part part)
{
    const thaw_training_batch *batch = taken->batch;
    thaw_program_step *step = &plan->program.step;
    step->keep = batch->on_prefix;
    step->argument = batch->argument;
    const size_t own_first = part.first - batch->first;
    step->own_first = own_first;
    step->first = part.first;
    step->random = (thaw_stream){ .seed = taken->seed, .step = plan->model->steps };
    step->mixed = 0;
    if (batch->mixing) {
        const thaw_mixing mixing = mixing_of(plan, batch);
        step->mixed = part.count > 1 ? thaw_mixing_draw(&mixing, &plan->model->nodes[0].output).other : 0;
    }
    if (batch->samples)
        thaw_program_feed_samples(plan, batch->samples + own_first * thaw_shape_count(&plan->model->nodes[0].output));
    else
        thaw_program_feed_features(plan, batch->features, (size_t)batch->count, own_first);
    return thaw_set_targets(plan, batch->targets, own_first);
}

thaw_status thaw_run_part_prefix(thaw_plan *plan, const thaw_training_batch *batch)
{
    thaw_status status = thaw_program_prepare(plan);
    if (status == THAW_OK)
        status = thaw_program_run(plan, batch->samples ? THAW_SECTION_PREFIX : THAW_SECTION_CACHED);
    if (status == THAW_OK && batch->samples && batch->on_prefix)
        status = thaw_program_run(plan, THAW_SECTION_KEEP);
    if (status == THAW_OK && batch->samples && batch->mixing)
        mix_outputs(plan, batch);
    return status;
}

void thaw_end_phase(double *seconds, double *start)
{
    if (!seconds)
        return;
    const double now = thaw_seconds();
    *seconds += now - *start;
    *start = now;
}

thaw_status thaw_find_outcome(const thaw_plan *plan, thaw_shard_outcome *outcome)
{
    const double loss = (double)*thaw_plan_output(plan, plan->target);
    *outcome = (thaw_shard_outcome){ .loss = loss, .samples = (double)plan->batch };
    if (!isfinite(loss))
        return thaw_fail(plan->model->context, THAW_NOT_FINITE,
                         "the loss is %g: the learning rate may be too high, or the data may contain NaN",
                         thaw_printed(loss));
    thaw_weigh_loss(plan, &outcome->total, &outcome->weight);
    count_correct(plan, outcome);
    return THAW_OK;
}

thaw_status thaw_run_part(thaw_plan *plan, thaw_taken_step *taken, thaw_shard_part part, thaw_shard_outcome *outcome)
{
    thaw_phase_seconds *phases = taken->batch->phases;
    *outcome = (thaw_shard_outcome){ .loss = NAN, .samples = (double)part.count };
    thaw_status status = thaw_feed_part(plan, taken, part);
    if (status == THAW_OK)
        status = thaw_run_part_prefix(plan, taken->batch);
    if (status == THAW_OK)
        status = thaw_program_run(plan, THAW_SECTION_FORWARD);
    if (status == THAW_OK)
        status = thaw_program_run(plan, THAW_SECTION_LOSS);
    if (status == THAW_OK)
        status = thaw_find_outcome(plan, outcome);
    if (status == THAW_OK)
        thaw_end_phase(phases ? &phases->forward : NULL, &taken->start);
    return status;
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
