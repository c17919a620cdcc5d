/* Whether the caller's data fits the model. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/number.h"
#include "data/dataset.h"
#include "params/finite.h"
#include "train/batch.h"

bool thaw_is_batch_of(const thaw_tensor *tensor, const thaw_shape *sample)
{
    return tensor->shape.rank == sample->rank + 1 && tensor->shape.dims[0] >= 1 &&
           memcmp(&tensor->shape.dims[1], sample->dims, (size_t)sample->rank * sizeof sample->dims[0]) == 0;
}

thaw_status thaw_fail_batch(const thaw_model *model, const char *what, const thaw_tensor *found,
                            const thaw_shape *sample)
{
    char is[80], wanted[80];
    return thaw_fail(model->context, THAW_SHAPE_MISMATCH, "%s have shape %s, must be a batch of samples of shape %s",
                     what, thaw_shape_format(&found->shape, is, sizeof is),
                     thaw_shape_format(sample, wanted, sizeof wanted));
}

thaw_status thaw_check_targets(const thaw_model *model, const thaw_tensor *targets, int64_t batch)
{
    const thaw_node loss = thaw_model_loss(model);
    if (loss < 0)
        return thaw_fail(model->context, THAW_INVALID_ARGUMENT, "the model must have a loss to train");
    const thaw_graph_node *node = &model->nodes[loss];
    if (!node->targeted)
        return THAW_OK;
    if (!targets)
        return thaw_fail(model->context, THAW_INVALID_ARGUMENT, "targets are missing");
    if (targets->dtype != node->target_dtype || !targets->data)
        return thaw_fail(model->context, THAW_INVALID_ARGUMENT, "targets of %s must be %s in memory", node->name,
                         node->target_dtype == THAW_I32 ? "int32 labels" : "floats");
    if (!thaw_is_batch_of(targets, &node->target))
        return thaw_fail_batch(model, "targets", targets, &node->target);
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
    const thaw_source *source = &dataset->source;
    const thaw_node loss = thaw_model_loss(model);
    if (loss < 0)
        return THAW_OK;
    const thaw_graph_node *node = &model->nodes[loss];
    if (!node->targeted)
        return THAW_OK;
    if (source->target_dtype != node->target_dtype || !thaw_shape_equal(&source->target_shape, &node->target))
        return thaw_fail(model->context, THAW_SHAPE_MISMATCH, "the data's targets do not match those of %s",
                         node->name);
    const size_t outputs = thaw_model_label_classes(model);
    if (source->classes > outputs && node->target_dtype == THAW_I32)
        return thaw_fail(model->context, THAW_SHAPE_MISMATCH, "the data has %zu classes, the model %zu outputs",
                         source->classes, outputs);
    return check_outside(model, dataset, node);
}

/* What the feature cache holds came of values that were checked. */
thaw_status thaw_check_values(thaw_model *model, const thaw_training_batch *batch)
{
    const size_t values = thaw_shape_count(&model->nodes[0].output);
    const float *samples = batch->samples;
    thaw_status status = thaw_set_check_finite(&model->parameters, "the loss cannot be finite");
    if (status == THAW_OK && samples)
        status = thaw_check_ids(model, samples, batch->indices, (size_t)batch->count);
    if (status != THAW_OK || !samples || thaw_values_finite(model->context, samples, (size_t)batch->count * values))
        return status;
    size_t at = 0;
    while (isfinite(samples[at]))
        at++;
    const size_t sample = at / values;
    const thaw_graph_input *input = thaw_model_input_of(model, at % values);
    const bool named = model->input_count > 1;
    return thaw_fail(model->context, THAW_NOT_FINITE,
                     "the loss cannot be finite: value %zu of %s%ssample %zu of the %s is %g",
                     at % values - input->first, named ? model->nodes[input->node].name : "", named ? " of " : "",
                     batch->indices ? batch->indices[sample] : sample, batch->indices ? "data set" : "batch",
                     thaw_printed((double)samples[at]));
}
