/* Whether the caller's data fits the model. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/number.h"
#include "data/dataset.h"
#include "params/finite.h"
#include "train/batch.h"

static bool is_batch_of(const thaw_tensor *tensor, const thaw_shape *sample)
{
    return tensor->shape.rank == sample->rank + 1 && tensor->shape.dims[0] >= 1 &&
           memcmp(&tensor->shape.dims[1], sample->dims, (size_t)sample->rank * sizeof sample->dims[0]) == 0;
}

static thaw_status fail_shape(const thaw_model *model, const char *what, const thaw_tensor *found,
                              const thaw_shape *sample)
{
    char is[80], wanted[80];
    return thaw_fail(model->context, THAW_SHAPE_MISMATCH, "%s have shape %s, must be a batch of samples of shape %s",
                     what, thaw_shape_format(&found->shape, is, sizeof is),
                     thaw_shape_format(sample, wanted, sizeof wanted));
}

thaw_status thaw_check_inputs(const thaw_model *model, const thaw_tensor *inputs, int64_t *batch)
{
    if (model->node_count < 2)
        return thaw_fail(model->context, THAW_INVALID_ARGUMENT, "the model has no layers");
    if (inputs->dtype != THAW_F32 || !inputs->data)
        return thaw_fail(model->context, THAW_INVALID_ARGUMENT, "inputs must be floats in memory");
    if (!is_batch_of(inputs, &model->nodes[0].output))
        return fail_shape(model, "inputs", inputs, &model->nodes[0].output);
    *batch = inputs->shape.dims[0];
    return THAW_OK;
}

thaw_status thaw_check_targets(const thaw_model *model, const thaw_tensor *targets, int64_t batch)
{
    const thaw_node loss = thaw_model_loss(model);
    if (loss < 0)
        return thaw_fail(model->context, THAW_INVALID_ARGUMENT, "the model must have a loss to train");
    const thaw_graph_node *node = &model->nodes[loss];
    if (targets->dtype != node->target_dtype || !targets->data)
        return thaw_fail(model->context, THAW_INVALID_ARGUMENT, "targets of %s must be %s in memory", node->name,
                         node->target_dtype == THAW_I32 ? "int32 labels" : "floats");
    if (!is_batch_of(targets, &node->target))
        return fail_shape(model, "targets", targets, &node->target);
    if (targets->shape.dims[0] != batch)
        return thaw_fail(model->context, THAW_SHAPE_MISMATCH, "%lld targets for %lld inputs",
                         (long long)targets->shape.dims[0], (long long)batch);
    return THAW_OK;
}

/* A label outside the classes must be the one that the loss ignores. */
static thaw_status check_outside(const thaw_model *model, const thaw_dataset *dataset, const thaw_graph_node *loss)
{
    if (dataset->outside == dataset->source.count || (loss->ignores && loss->ignored_label == dataset->outside_label))
        return THAW_OK;
    char ignored[64] = "no label";
    if (loss->ignores)
        snprintf(ignored, sizeof ignored, "label %d", (int)loss->ignored_label);
    return thaw_fail(model->context, THAW_INVALID_ARGUMENT,
                     "label %d of sample %zu must be in [0, %zu), and %s ignores %s", (int)dataset->outside_label,
                     dataset->outside, dataset->source.classes, loss->name, ignored);
}

thaw_status thaw_check_dataset(const thaw_model *model, const thaw_dataset *dataset)
{
    if (model->node_count < 2)
        return thaw_fail(model->context, THAW_INVALID_ARGUMENT, "the model has no layers");
    char is[80], wanted[80];
    const thaw_source *source = &dataset->source;
    if (!thaw_shape_equal(&source->sample_shape, &model->nodes[0].output))
        return thaw_fail(model->context, THAW_SHAPE_MISMATCH,
                         "samples have shape %s, must have the model's input shape %s",
                         thaw_shape_format(&source->sample_shape, is, sizeof is),
                         thaw_shape_format(&model->nodes[0].output, wanted, sizeof wanted));
    const thaw_node loss = thaw_model_loss(model);
    if (loss < 0)
        return THAW_OK;
    const thaw_graph_node *node = &model->nodes[loss];
    if (source->target_dtype != node->target_dtype || !thaw_shape_equal(&source->target_shape, &node->target))
        return thaw_fail(model->context, THAW_SHAPE_MISMATCH, "the data's targets do not match those of %s",
                         node->name);
    const size_t outputs = thaw_shape_count(&model->nodes[node->inputs[0]].output);
    if (source->classes > outputs && node->target_dtype == THAW_I32)
        return thaw_fail(model->context, THAW_SHAPE_MISMATCH, "the data has %zu classes, the model %zu outputs",
                         source->classes, outputs);
    return check_outside(model, dataset, node);
}

/* What the feature cache holds came of values that were checked. */
thaw_status thaw_check_finite(thaw_model *model, const thaw_training_batch *batch)
{
    const size_t values = thaw_shape_count(&model->nodes[0].output);
    const float *samples = batch->samples;
    const thaw_status status = thaw_set_check_finite(&model->parameters, "the loss cannot be finite");
    if (status != THAW_OK || !samples || thaw_values_finite(model->context, samples, (size_t)batch->count * values))
        return status;
    size_t at = 0;
    while (isfinite(samples[at]))
        at++;
    const size_t sample = at / values;
    return thaw_fail(model->context, THAW_NOT_FINITE,
                     "the loss cannot be finite: value %zu of sample %zu of the %s is %g", at % values,
                     batch->indices ? batch->indices[sample] : sample, batch->indices ? "data set" : "batch",
                     thaw_printed((double)samples[at]));
}
