#include "train/inputs.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <thaw/runtime.h>

#include "core/allocation.h"
#include "core/threads.h"
#include "data/fields.h"
#include "train/batch.h"

enum { MOST = THAW_MOST_WHOLE_NUMBER, GRAIN_BYTES = 65536 /* the fewest that a thread packs */ };

static bool is_single(const thaw_model *model, int64_t most)
{
    return model->input_count == 1 && model->inputs[0].dtype == THAW_F32 && most == model->longest;
}

/* What a message calls an input. */
static const char *name_of(const thaw_model *model, size_t index)
{
    return model->inputs[index].node == 0 ? "inputs" : model->nodes[model->inputs[index].node].name;
}

/* An input of one number may lack the dimension that layers see. */
static bool fits(const thaw_tensor *tensor, const thaw_shape *sample)
{
    const bool is_list = tensor->shape.rank == 1 && tensor->shape.dims[0] >= 1;
    return thaw_is_batch_of(tensor, sample) || (is_list && sample->rank == 1 && sample->dims[0] == 1);
}

/* The first sequence tells where all of the batch end. */
static thaw_status check_input(const thaw_model *model, size_t index, const thaw_tensor *tensor, int64_t *most)
{
    const thaw_graph_input *input = &model->inputs[index];
    const char *name = name_of(model, index);
    if (input->optional && !tensor->data)
        return THAW_OK;
    if (tensor->dtype != input->dtype || !tensor->data)
        return thaw_fail(model->context, THAW_INVALID_ARGUMENT, "%s must be %s in memory", name,
                         input->dtype == THAW_I32 ? "int32 numbers" : "floats");
    thaw_shape sample = model->nodes[input->node].output;
    const int64_t given = tensor->shape.rank > 1 ? tensor->shape.dims[1] : 0;
    if (input->sequence && *most == 0 && given >= 1 && given <= model->longest)
        *most = given;
    if (input->sequence && *most)
        sample.dims[0] = *most;
    return fits(tensor, &sample) ? THAW_OK : thaw_fail_batch(model, name, tensor, &sample);
}

thaw_status thaw_check_inputs(const thaw_model *model, const thaw_tensor *inputs, thaw_packed_batch *batch)
{
    *batch = (thaw_packed_batch){ 0 };
    if (!thaw_model_has_layers(model))
        return thaw_fail(model->context, THAW_INVALID_ARGUMENT, "the model has no layers");
    if (!inputs)
        return thaw_fail(model->context, THAW_INVALID_ARGUMENT, "inputs are missing");
    for (size_t i = 0; i < model->input_count; i++) {
        const thaw_status status = check_input(model, i, &inputs[i], &batch->most);
        if (status != THAW_OK)
            return status;
        if (inputs[i].data && inputs[i].shape.dims[0] != inputs[0].shape.dims[0])
            return thaw_fail(model->context, THAW_SHAPE_MISMATCH,
                             "%s has %" PRId64 " samples, but %s has %" PRId64 ": all inputs share a batch",
                             name_of(model, i), inputs[i].shape.dims[0], name_of(model, 0), inputs[0].shape.dims[0]);
    }
    batch->count = inputs[0].shape.dims[0];
    return THAW_OK;
}

/* The floats of a sample that its tensor has. */
static size_t given_count(const thaw_model *model, size_t index, int64_t most)
{
    const thaw_graph_input *input = &model->inputs[index];
    return input->sequence ? input->count / (size_t)model->longest * (size_t)most : input->count;
}

static thaw_status check_numbers(const thaw_model *model, size_t index, const thaw_tensor *tensor, int64_t most)
{
    const int32_t *numbers = tensor->data;
    const size_t count = given_count(model, index, most), all = numbers ? count * (size_t)tensor->shape.dims[0] : 0;
    for (size_t i = 0; model->inputs[index].dtype == THAW_I32 && i < all; i++)
        if (numbers[i] < -MOST || numbers[i] > MOST)
            return thaw_fail(model->context, THAW_INVALID_ARGUMENT,
                             "%s: value %zu of sample %zu is %" PRId32 ", must be from %d to %d", name_of(model, index),
                             i % count, i / count, numbers[i], -MOST, MOST);
    return THAW_OK;
}

typedef struct packing {
    const thaw_model *model;
    const thaw_tensor *inputs;
    int64_t most;  /* where sequences end; zeros follow */
    size_t stride; /* floats of a sample */
    float *into;
} packing;

static void pack_range(void *argument, size_t begin, size_t end)
{
    const packing *p = argument;
    for (size_t k = 0; k < p->model->input_count; k++) {
        const thaw_graph_input *input = &p->model->inputs[k];
        const int32_t *numbers = p->inputs[k].data;
        const float *values = p->inputs[k].data;
        const size_t count = numbers ? given_count(p->model, k, p->most) : 0;
        for (size_t i = begin; i < end; i++) {
            float *into = p->into + i * p->stride + input->first;
            if (input->dtype == THAW_F32 && count)
                memcpy(into, values + i * count, count * sizeof *into);
            for (size_t j = 0; input->dtype == THAW_I32 && j < count; j++)
                into[j] = (float)numbers[i * count + j];
            memset(into + count, 0, (input->count - count) * sizeof *into);
        }
    }
}

/* Makes room for a batch. What is there is not kept. */
static thaw_status reserve(thaw_model *model, size_t count)
{
    if (count <= model->packed_capacity)
        return THAW_OK;
    thaw_release(model->context, model->packed);
    model->packed_capacity = 0;
    model->packed = thaw_allocate_array(model->context, count, sizeof *model->packed);
    if (!model->packed)
        return THAW_OUT_OF_MEMORY;
    model->packed_capacity = count;
    return THAW_OK;
}

thaw_status thaw_pack_inputs(thaw_model *model, const thaw_tensor *inputs, thaw_packed_batch *batch)
{
    batch->samples = inputs->data;
    if (is_single(model, batch->most))
        return THAW_OK;
    const thaw_shape *sample = &model->nodes[0].output;
    size_t count;
    thaw_status status = THAW_OK;
    for (size_t i = 0; i < model->input_count && status == THAW_OK; i++)
        status = check_numbers(model, i, &inputs[i], batch->most);
    if (status == THAW_OK && !thaw_multiply_sizes((size_t)batch->count, thaw_shape_count(sample), &count))
        status = thaw_fail(model->context, THAW_OUT_OF_MEMORY, "a batch of %" PRId64 " samples overflows a size",
                           batch->count);
    if (status == THAW_OK)
        status = reserve(model, count);
    if (status != THAW_OK)
        return status;
    packing p = { model, inputs, batch->most, thaw_shape_count(sample), model->packed };
    const thaw_thread_scope scope = thaw_threads_enter(model->context);
    thaw_parallel_for(model->context, (size_t)batch->count, GRAIN_BYTES / (p.stride * sizeof *p.into) + 1, pack_range,
                      &p);
    thaw_threads_leave(scope);
    batch->samples = model->packed;
    return THAW_OK;
}
