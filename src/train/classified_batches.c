#include "train/classified_batches.h"

#include <string.h>

#include "train/probabilities.h"

static thaw_status check(const thaw_model *model, const thaw_classification *into, size_t classes)
{
    const thaw_node loss = thaw_model_loss(model);
    if (loss < 0 || model->nodes[loss].target_dtype != THAW_I32 || model->nodes[loss].target.rank != 0)
        return thaw_fail(model->context, THAW_INVALID_ARGUMENT,
                         "figures by class need a loss that has one label for each sample");
    if (thaw_classification_classes(into) != classes)
        return thaw_fail(model->context, THAW_INVALID_ARGUMENT, "the figures are of %zu classes, the network has %zu",
                         thaw_classification_classes(into), classes);
    return THAW_OK;
}

thaw_status thaw_classified_batches_begin(thaw_classified_batches *batches, const thaw_model *model,
                                          thaw_classification *into, size_t most)
{
    *batches = (thaw_classified_batches){ .model = model, .into = into };
    if (!into)
        return THAW_OK;
    thaw_context *context = model->context;
    batches->classes = thaw_shape_count(thaw_model_node_shape(model, thaw_model_output(model)));
    const thaw_status status = check(model, into, batches->classes);
    if (status != THAW_OK)
        return status;
    batches->scores = thaw_allocate_array(context, most, batches->classes * sizeof *batches->scores);
    batches->labels = thaw_allocate_array(context, most, sizeof *batches->labels);
    return batches->scores && batches->labels ? THAW_OK : THAW_OUT_OF_MEMORY;
}

thaw_status thaw_classified_batches_add(thaw_classified_batches *batches, const float *outputs, const void *targets,
                                        size_t count)
{
    if (!batches->into)
        return THAW_OK;
    const thaw_graph_node *loss = &batches->model->nodes[thaw_model_loss(batches->model)];
    const int32_t *labels = targets;
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (loss->ignores && labels[i] == loss->ignored_label)
            continue;
        float *row = batches->scores + kept * batches->classes;
        memcpy(row, outputs + i * batches->classes, batches->classes * sizeof *row);
        thaw_make_probabilities(row, batches->classes);
        batches->labels[kept++] = labels[i];
    }
    return thaw_classification_add(batches->into, batches->scores, batches->labels, kept);
}

void thaw_classified_batches_release(thaw_classified_batches *batches)
{
    thaw_context *context = batches->model->context;
    thaw_release(context, batches->scores);
    thaw_release(context, batches->labels);
}
