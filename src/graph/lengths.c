/* Sequences that are shorter than the longest: at which lengths batches run, and what shapes layers then have. */
#include "graph/model.h"

static int64_t power_of_two_from(int64_t count)
{
    int64_t power = 1;
    while (power < count)
        power *= 2;
    return power;
}

int64_t thaw_model_round_length(const thaw_model *model, int64_t length)
{
    const int64_t wanted = length > 1 ? length : 1;
    const int64_t least = power_of_two_from(model->longest) / THAW_LEAST_LENGTH_STEPS;
    const int64_t sixteenth = power_of_two_from(wanted) / THAW_LENGTH_STEPS;
    int64_t step = sixteenth > least ? sixteenth : least;
    step = step > 1 ? step : 1;
    const int64_t rounded = (wanted + step - 1) / step * step;
    return rounded < model->longest ? rounded : 0;
}

int64_t thaw_model_lengths_length(const thaw_model *model, const float *lengths, size_t stride, size_t count,
                                  int64_t most)
{
    float longest = 0;
    for (size_t i = 0; i < count; i++) {
        const float length = lengths[i * stride];
        if (!(length >= 0 && length <= (float)most)) /* the layers that read it will refuse it */
            return thaw_model_round_length(model, most);
        longest = length > longest ? length : longest;
    }
    return thaw_model_round_length(model, (int64_t)longest);
}

int64_t thaw_model_batch_length(const thaw_model *model, const float *samples, size_t count, int64_t most)
{
    if (!model->longest || !model->lengths)
        return most < model->longest ? most : 0;
    return thaw_model_lengths_length(model, samples + model->lengths->first, thaw_shape_count(&model->nodes[0].output),
                                     count, most);
}

void thaw_model_count_steps(const thaw_model *model, const float *samples, size_t count, int64_t length, size_t *own,
                            size_t *all)
{
    const size_t stride = thaw_shape_count(&model->nodes[0].output);
    const size_t steps = (size_t)(length ? length : model->longest);
    *all += count * steps;
    if (!model->lengths)
        *own += count * steps;
    for (size_t i = 0; i < count && model->lengths; i++)
        *own += (size_t)samples[i * stride + model->lengths->first]; /* checked: a layer has computed with it */
}

bool thaw_model_labels_tokens(const thaw_model *model)
{
    const thaw_node loss = thaw_model_loss(model);
    return loss >= 0 && model->nodes[loss].target_dtype == THAW_I32 && model->nodes[loss].target.rank > 0;
}

size_t thaw_model_label_classes(const thaw_model *model)
{
    const thaw_node loss = thaw_model_loss(model);
    if (loss < 0 || model->nodes[loss].target_dtype != THAW_I32)
        return 0;
    const thaw_graph_node *node = &model->nodes[loss];
    return thaw_shape_count(&model->nodes[node->inputs[0]].output) / thaw_shape_count(&node->target);
}

static thaw_status find_shape(thaw_model *model, size_t index, thaw_shape *shapes, thaw_shape *target)
{
    thaw_graph_node derived = model->nodes[index];
    thaw_layer_builder builder = {
        .model = model,
        .name = derived.name,
        .inputs = derived.inputs,
        .input_count = derived.input_count,
        .loss = derived.module->loss,
        .node = &derived,
        .shapes = shapes,
    };
    const thaw_status status = derived.module->build(&builder, derived.options);
    if (status != THAW_OK)
        return status;
    shapes[index] = derived.output;
    if (derived.module->loss)
        *target = derived.target;
    return THAW_OK;
}

thaw_status thaw_model_find_shapes(thaw_model *model, int64_t length, thaw_shape *shapes, thaw_shape *target)
{
    thaw_status status = THAW_OK;
    for (size_t i = 0; i < model->first_layer; i++)
        shapes[i] = model->nodes[i].output;
    for (size_t i = 0; i < model->input_count; i++)
        if (model->inputs[i].sequence)
            shapes[model->inputs[i].node].dims[0] = length;
    for (size_t i = model->first_layer; i < model->node_count && status == THAW_OK; i++)
        status = find_shape(model, i, shapes, target);
    return status;
}
