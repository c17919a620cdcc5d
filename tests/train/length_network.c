#include "train/length_network.h"

#include <math.h>
#include <string.h>
#include <thaw/layer_module.h>

#include "support/network.h"

/* ---- the mean over a sample's own steps ---- */

typedef struct mean {
    size_t batch, steps, width;
} mean;

static thaw_status build(thaw_layer_builder *builder, const void *options)
{
    (void)options;
    return thaw_builder_output(builder, &(thaw_shape){ 1, { thaw_builder_input(builder, 0)->dims[1] } });
}

static thaw_status prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    mean *m = thaw_allocate(demand->context, sizeof *m);
    if (!m)
        return THAW_OUT_OF_MEMORY;
    const int64_t *dims = demand->inputs[0].dims;
    *m = (mean){ (size_t)demand->batch, (size_t)dims[0], (size_t)dims[1] };
    needs->state = m;
    needs->keeps_inputs = true;
    return THAW_OK;
}

static thaw_status forward(const thaw_layer_run *run)
{
    const mean *m = run->state;
    const float *x = run->inputs[0], *lengths = run->inputs[1];
    float *y = run->output;
    for (size_t n = 0; n < m->batch; n++)
        for (size_t c = 0; c < m->width; c++) {
            float sum = 0;
            for (size_t t = 0; t < (size_t)lengths[n]; t++)
                sum += x[(n * m->steps + t) * m->width + c];
            y[n * m->width + c] = sum / lengths[n];
        }
    return THAW_OK;
}

static thaw_status backward(const thaw_layer_run *run)
{
    const mean *m = run->state;
    const float *lengths = run->inputs[1], *slope = run->output_gradient;
    float *into = run->input_gradients[0];
    for (size_t n = 0; n < m->batch; n++)
        for (size_t t = 0; t < m->steps; t++)
            for (size_t c = 0; c < m->width; c++)
                into[(n * m->steps + t) * m->width + c] =
                    (float)t < lengths[n] ? slope[n * m->width + c] / lengths[n] : 0;
    return THAW_OK;
}

static const thaw_layer_module mean_of_steps = {
    THAW_LAYER_MODULE_HEAD, .name = "mean",       .build = build,          .prepare = prepare,
    .forward = forward,     .backward = backward, .release = thaw_release,
};

/* ---- the network ---- */

thaw_model *length_network(thaw_context *context, bool cuts, const char *optimizer)
{
    const thaw_input_options sequence = {
        .name = "ids", .dtype = THAW_I32, .shape = { 1, { LENGTH_LONGEST } }, .sequence = cuts
    };
    const thaw_input_options length = { .name = "length", .dtype = THAW_I32, .lengths = cuts };
    const thaw_embedding_options table = { .name = "table", .rows = LENGTH_ROWS, .width = 6 };
    thaw_model *model = NULL;
    thaw_node x[2];
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_named_input(model, &sequence, &x[0]));
    assert_ok(context, thaw_named_input(model, &length, &x[1]));
    assert_ok(context, thaw_embedding(model, x[0], &table, &x[0]));
    assert_ok(context, thaw_dense(model, x[0], &(thaw_dense_options){ .name = "mix", .units = 5 }, &x[0]));
    assert_ok(context, thaw_tanh(model, x[0], NULL, &x[0]));
    assert_ok(context, thaw_model_append(model, &mean_of_steps, "mean", x, 2, NULL, &x[0]));
    assert_ok(context,
              thaw_dense(model, x[0], &(thaw_dense_options){ .name = "last", .units = LENGTH_CLASSES }, &x[0]));
    assert_ok(context, thaw_softmax_cross_entropy(model, x[0], NULL, &x[0]));
    for (size_t i = 0; i < thaw_model_parameter_count(model); i++) {
        thaw_parameter *parameter = thaw_model_parameter(model, i);
        support_fill(thaw_parameter_edit(parameter), thaw_shape_count(thaw_parameter_shape(parameter)),
                     (uint32_t)i + 1);
    }
    support_optimize(model, optimizer);
    return model;
}

static void fill_whole_numbers(int32_t *into, size_t count, uint32_t seed, int below)
{
    static float values[LENGTH_MOST * LENGTH_LONGEST];
    support_fill(values, count, seed);
    for (size_t i = 0; i < count; i++)
        into[i] = (int32_t)floorf((values[i] + 1) * (float)below / 2);
}

void length_batch_fill(length_batch *batch, int64_t count, int longest, uint32_t seed)
{
    batch->count = count;
    fill_whole_numbers(batch->ids, (size_t)count * LENGTH_LONGEST, 100 + seed, LENGTH_ROWS);
    fill_whole_numbers(batch->lengths, (size_t)count, 200 + seed, longest);
    fill_whole_numbers(batch->labels, (size_t)count, 300 + seed, LENGTH_CLASSES);
    for (int64_t i = 0; i < count; i++)
        batch->lengths[i]++;
    batch->inputs[0] = thaw_view_i32(batch->ids, 2, (int64_t[]){ count, LENGTH_LONGEST });
    batch->inputs[1] = thaw_view_i32(batch->lengths, 1, &count);
    batch->targets = thaw_view_i32(batch->labels, 1, &count);
}
