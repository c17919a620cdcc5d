#include "cli/random_batch.h"

#include <stdlib.h>
#include <string.h>

#include "cli/failure.h"
#include "graph/model.h"

enum { USUAL_NUMBERS = 2 /* of an input that no embedding reads: 0 and 1 */ };

/* Numerical Recipes. */
static uint32_t draw(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

static thaw_shape batch_of(int64_t batch, const thaw_shape *sample)
{
    thaw_shape shape = { .rank = sample->rank + 1, .dims = { batch } };
    memcpy(&shape.dims[1], sample->dims, (size_t)sample->rank * sizeof sample->dims[0]);
    return shape;
}

static bool reserve(thaw_tensor *tensor, thaw_dtype dtype, int64_t batch, const thaw_shape *sample)
{
    *tensor = (thaw_tensor){ dtype, batch_of(batch, sample), NULL };
    tensor->data = calloc(thaw_shape_count(&tensor->shape), thaw_dtype_bytes(dtype));
    return tensor->data;
}

static void fill_floats(float *values, size_t count)
{
    uint32_t state = 1;
    for (size_t i = 0; i < count; i++)
        values[i] = (float)draw(&state) / (1 << 24);
}

/* From 0 to below `past`. */
static void fill_numbers(int32_t *numbers, size_t count, int64_t past)
{
    uint32_t state = 1;
    for (size_t i = 0; i < count; i++)
        numbers[i] = (int32_t)(draw(&state) % (uint32_t)past);
}

static void fill_input(const thaw_model *model, const thaw_graph_input *input, const thaw_tensor *tensor)
{
    const size_t count = thaw_shape_count(&tensor->shape);
    int32_t *numbers = tensor->data;
    int64_t rows = USUAL_NUMBERS;
    if (input->dtype == THAW_F32) {
        fill_floats(tensor->data, count);
        return;
    }
    thaw_model_table_of(model, input->node, &rows);
    fill_numbers(numbers, count, rows);
    for (size_t i = 0; input == model->lengths && i < count; i++)
        numbers[i] = (int32_t)model->longest;
}

static bool make_inputs(const thaw_model *model, int64_t count, cli_random_batch *batch)
{
    bool done = true;
    for (size_t k = 0; k < model->input_count && done; k++) {
        const thaw_graph_input *input = &model->inputs[k];
        done = reserve(&batch->inputs[k], input->dtype, count, &model->nodes[input->node].output);
        if (done)
            fill_input(model, input, &batch->inputs[k]);
    }
    return done;
}

static bool make_targets(const thaw_model *model, int64_t count, cli_random_batch *batch)
{
    const thaw_node loss = thaw_model_loss(model);
    if (loss < 0 || !model->nodes[loss].targeted)
        return true;
    const thaw_graph_node *node = &model->nodes[loss];
    if (!reserve(&batch->targets, node->target_dtype, count, &node->target))
        return false;
    const size_t values = thaw_shape_count(&batch->targets.shape), classes = thaw_model_label_classes(model);
    int32_t *labels = batch->targets.data;
    if (node->target_dtype == THAW_F32)
        fill_floats(batch->targets.data, values);
    for (size_t i = 0; node->target_dtype == THAW_I32 && i < values; i++)
        labels[i] = (int32_t)(i % classes);
    return true;
}

int cli_random_batch_create(const cli_session *session, cli_random_batch *batch)
{
    const int64_t count = (int64_t)session->options->batch;
    *batch = (cli_random_batch){ 0 };
    if (make_inputs(session->model, count, batch) && make_targets(session->model, count, batch))
        return CLI_DONE;
    cli_random_batch_release(batch);
    return cli_fail("plan", "out of memory");
}

void cli_random_batch_release(cli_random_batch *batch)
{
    for (size_t k = 0; k < THAW_MOST_MODEL_INPUTS; k++)
        free(batch->inputs[k].data);
    free(batch->targets.data);
}
