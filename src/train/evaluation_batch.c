#include "train/evaluation_batch.h"

#include <math.h>

#include "params/finite.h"
#include "plan/store.h"
#include "train/batch.h"

/* Writes NaN to the outputs of samples that are not finite, since a kernel may have turned NaN into a number: see
   params/finite.h. */
static void spoil_outputs(const thaw_plan *plan, const float *samples)
{
    const thaw_graph_node *nodes = plan->model->nodes;
    const thaw_node output = thaw_model_output(plan->model);
    const size_t inputs = thaw_shape_count(&nodes[0].output), outputs = thaw_shape_count(thaw_plan_shape(plan, output));
    float *values = (float *)(uintptr_t)thaw_plan_output(plan, output);
    for (size_t i = 0; i < (size_t)plan->batch; i++)
        if (!thaw_values_finite(plan->model->context, samples + i * inputs, inputs))
            for (size_t k = 0; k < outputs; k++)
                if (isfinite(values[i * outputs + k]))
                    values[i * outputs + k] = NAN;
}

static bool is_finite(const thaw_plan *plan, const float *samples)
{
    const size_t count = (size_t)plan->batch * thaw_shape_count(&plan->model->nodes[0].output);
    return thaw_values_finite(plan->model->context, samples, count);
}

static void keep_features(void *argument, const thaw_plan *plan)
{
    const thaw_evaluated_batch *batch = argument;
    thaw_feature_cache_keep(batch->cache, plan, batch->indices, batch->targets, (size_t)batch->count);
}

/* From samples, or from the feature cache's rows, to the output. */
static thaw_status run_forward(thaw_plan *plan, const thaw_evaluated_batch *batch)
{
    const bool finite = !batch->samples || is_finite(plan, batch->samples);
    thaw_status status = thaw_program_prepare(plan);
    if (batch->samples)
        thaw_program_feed_samples(plan, batch->samples);
    else
        thaw_program_feed_features(plan, batch->features, (size_t)batch->count, 0);
    if (status == THAW_OK)
        status = thaw_program_run(plan, batch->samples ? THAW_SECTION_PREFIX : THAW_SECTION_CACHED);
    if (status == THAW_OK && batch->samples && batch->cache && finite)
        status = thaw_program_run(plan, THAW_SECTION_KEEP);
    if (status == THAW_OK)
        status = thaw_program_run(plan, THAW_SECTION_FORWARD);
    if (status == THAW_OK && !finite)
        spoil_outputs(plan, batch->samples);
    return status;
}

/* The plan behind a cut, at the length that the batch needs. */
static thaw_status find_cut_plan(thaw_model *model, const thaw_evaluated_batch *batch, thaw_plan **plan)
{
    const size_t count = (size_t)batch->count;
    thaw_status status = thaw_plan_find_test(model, batch->count, 0, batch->cut, plan);
    if (status != THAW_OK || !batch->most)
        return status;
    const int64_t length =
        batch->samples ? thaw_model_batch_length(model, batch->samples, count, batch->most)
                       : thaw_program_features_length(*plan, batch->features, count, (thaw_shard_part){ 0, count });
    status = thaw_plan_find_test(model, batch->count, length, batch->cut, plan);
    if (status != THAW_OK || thaw_plan_keeps_beginnings(*plan))
        return status;
    return thaw_plan_find_test(model, batch->count, 0, batch->cut, plan);
}

static thaw_status find_plan(thaw_model *model, const thaw_evaluated_batch *batch, thaw_plan **plan)
{
    thaw_status status = thaw_set_check_finite(&model->parameters, "the model cannot be evaluated");
    if (status == THAW_OK && batch->samples)
        status = thaw_check_ids(model, batch->samples, batch->indices, (size_t)batch->count);
    if (status != THAW_OK)
        return status;
    if (batch->cut)
        return find_cut_plan(model, batch, plan);
    const int64_t length =
        batch->most ? thaw_model_batch_length(model, batch->samples, (size_t)batch->count, batch->most) : 0;
    return thaw_plan_find_length(model, batch->count, length, plan);
}

thaw_status thaw_evaluate_batch(thaw_model *model, const thaw_evaluated_batch *batch, thaw_batch_outcome *outcome)
{
    *outcome = (thaw_batch_outcome){ 0 };
    thaw_plan *plan;
    thaw_status status = find_plan(model, batch, &plan);
    if (status != THAW_OK)
        return status;
    plan->program.step = (thaw_program_step){ .keep = keep_features, .argument = (void *)(uintptr_t)batch };
    if (batch->targets && thaw_model_loss(model) >= 0)
        status = thaw_set_targets(plan, batch->targets, 0);
    if (status == THAW_OK)
        status = run_forward(plan, batch);
    if (status == THAW_OK && batch->targets)
        status = thaw_program_run(plan, THAW_SECTION_LOSS);
    if (status != THAW_OK)
        return status;
    outcome->outputs = thaw_plan_output(plan, thaw_model_output(model));
    outcome->output_count = thaw_shape_count(thaw_plan_shape(plan, thaw_model_output(model)));
    outcome->targets = plan->program.step.target;
    outcome->labels = thaw_batch_labels(plan);
    if (thaw_model_loss(model) >= 0 && batch->targets)
        thaw_weigh_loss(plan, &outcome->total, &outcome->weight);
    return THAW_OK;
}
