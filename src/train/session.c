#include "train/session.h"

#include <math.h>

#include "core/clock.h"

/* Samples whose largest output is at their label, where targets are labels. */
static size_t count_correct(const thaw_model *model, const float *outputs, const void *targets, int64_t count)
{
    const thaw_graph_node *loss = &model->nodes[thaw_model_loss(model)];
    if (loss->target_dtype != THAW_I32)
        return 0;
    const int32_t *labels = targets;
    const size_t classes = thaw_shape_count(&model->nodes[loss->inputs[0]].output);
    size_t correct = 0;
    for (size_t i = 0; i < (size_t)count; i++) {
        const float *row = outputs + i * classes;
        size_t best = 0;
        for (size_t k = 1; k < classes; k++)
            if (row[k] > row[best])
                best = k;
        correct += labels[i] == (int32_t)best;
    }
    return correct;
}

/* Points the prefix at the samples, and the live part at the prefix; or the live part at the cache's rows. */
static void feed_batch(thaw_plan *plan, const thaw_training_batch *batch)
{
    const float *features = batch->features;
    for (size_t i = 0; i < plan->cut_count; i++) {
        const thaw_node index = plan->order[i];
        if (!plan->nodes[index].boundary)
            continue;
        thaw_plan_feed(plan, index, batch->samples ? NULL : features);
        if (!batch->samples)
            features += (size_t)batch->count * thaw_shape_count(&plan->model->nodes[index].output);
    }
    if (batch->samples)
        thaw_plan_feed(plan, 0, batch->samples);
}

static thaw_status run_forward(thaw_plan *plan, const thaw_training_batch *batch, uint64_t seed)
{
    const thaw_stream random = { .seed = seed, .step = plan->model->steps };
    feed_batch(plan, batch);
    const thaw_status status =
        thaw_plan_forward(plan, 0, batch->samples ? plan->cut_count : plan->fixed_count, NULL, NULL);
    if (status != THAW_OK)
        return status;
    if (batch->samples && batch->on_prefix)
        batch->on_prefix(batch->argument, plan);
    return thaw_plan_forward(plan, plan->cut_count, plan->order_count, batch->targets, &random);
}

/* Clips and updates, statistics too: all of them or nothing. The norm's small addend is PyTorch's. */
static thaw_status update(const thaw_plan *plan, const thaw_step_options *options, thaw_step_result *result)
{
    thaw_model *model = plan->model;
    thaw_update_list *updates = thaw_plan_updates(model);
    double scale = 1;
    if (options->clip_norm > 0) {
        result->gradient_norm = thaw_update_list_norm(updates);
        result->skipped = !isfinite(result->gradient_norm);
        scale = fmin(1, options->clip_norm / (result->gradient_norm + 1e-6));
    } else {
        result->skipped = !thaw_update_list_finite(updates);
    }
    result->skipped = result->skipped || !thaw_plan_statistics_finite(plan);
    if (options->gradients_only && !result->skipped)
        thaw_update_list_scale(updates, scale);
    if (result->skipped || options->gradients_only)
        return THAW_OK;
    const thaw_status status = thaw_update_list_run(updates, options->rate_factor, scale);
    if (status != THAW_OK)
        return status;
    thaw_plan_take_statistics(plan);
    model->steps++;
    return THAW_OK;
}

/* Adds the time since *start to a phase's, and begins the next one. */
static void end_phase(double *seconds, double *start)
{
    if (!seconds)
        return;
    const double now = thaw_seconds();
    *seconds += now - *start;
    *start = now;
}

thaw_status thaw_train_batch(thaw_model *model, const thaw_training_batch *batch, const thaw_step_options *options,
                             uint64_t seed, thaw_step_result *result)
{
    *result = (thaw_step_result){ .gradient_norm = NAN };
    thaw_phase_seconds *phases = batch->phases;
    double start = phases ? thaw_seconds() : 0;
    thaw_plan *plan;
    thaw_status status = thaw_plan_find(model, batch->count, true, &plan);
    if (status == THAW_OK)
        status = run_forward(plan, batch, seed);
    if (status != THAW_OK)
        return status;
    result->loss = (double)*thaw_plan_output(plan, plan->target);
    if (!isfinite(result->loss))
        return thaw_fail(model->context, THAW_NOT_FINITE,
                         "the loss is %g: look for a learning rate that is too high, or for NaN in the data",
                         result->loss);
    result->correct =
        count_correct(model, thaw_plan_output(plan, thaw_model_output(model)), batch->targets, batch->count);
    end_phase(phases ? &phases->forward : NULL, &start);
    status = thaw_plan_backward(plan);
    end_phase(phases ? &phases->backward : NULL, &start);
    if (status == THAW_OK)
        status = update(plan, options, result);
    end_phase(phases ? &phases->update : NULL, &start);
    return status;
}

thaw_status thaw_evaluate_batch(thaw_model *model, const float *samples, const void *targets, int64_t count,
                                thaw_batch_outcome *outcome)
{
    *outcome = (thaw_batch_outcome){ 0 };
    thaw_plan *plan;
    thaw_status status = thaw_plan_find(model, count, false, &plan);
    if (status != THAW_OK)
        return status;
    const bool has_loss = thaw_model_loss(model) >= 0;
    thaw_plan_feed(plan, 0, samples);
    /* The loss comes last, and is left out where there are no targets for it. */
    status = thaw_plan_forward(plan, 0, plan->order_count - (has_loss && !targets ? 1 : 0), targets, NULL);
    if (status != THAW_OK)
        return status;
    outcome->outputs = thaw_plan_output(plan, thaw_model_output(model));
    if (has_loss && targets) {
        outcome->loss = (double)*thaw_plan_output(plan, plan->target);
        outcome->correct = count_correct(model, outcome->outputs, targets, count);
    }
    return THAW_OK;
}
