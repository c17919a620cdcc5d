#include "train/named_network.h"

#include <math.h>

#include "support/network.h"

static thaw_status append_layers(thaw_model *model, thaw_node ids, thaw_node numbers)
{
    const thaw_embedding_options table = { .name = "table", .rows = NAMED_ROWS, .width = 6 };
    const thaw_recurrent_options reader = { .name = "reader", .units = 4, .last_only = true };
    thaw_node x;
    thaw_status status = thaw_embedding(model, ids, &table, &x);
    if (status == THAW_OK)
        status = thaw_lstm(model, x, &reader, &x);
    if (status == THAW_OK)
        status = thaw_concatenate(model, (thaw_node[]){ x, numbers }, 2, NULL, &x);
    if (status == THAW_OK)
        status = thaw_dense(model, x, &(thaw_dense_options){ .name = "mix", .units = 5 }, &x);
    if (status == THAW_OK)
        status = thaw_tanh(model, x, NULL, &x);
    if (status == THAW_OK)
        status = thaw_dense(model, x, &(thaw_dense_options){ .name = "last", .units = NAMED_CLASSES }, &x);
    return status == THAW_OK ? thaw_softmax_cross_entropy(model, x, NULL, &x) : status;
}

thaw_status named_network_build(thaw_model *model)
{
    thaw_node ids, numbers;
    const thaw_input_options one = { .name = "ids", .dtype = THAW_I32, .shape = { 1, { NAMED_LENGTH } } };
    thaw_status status = thaw_named_input(model, &one, &ids);
    if (status == THAW_OK)
        status = thaw_named_input(model, &(thaw_input_options){ .name = "numbers", .shape = { 1, { NAMED_NUMBERS } } },
                                  &numbers);
    return status == THAW_OK ? append_layers(model, ids, numbers) : status;
}

thaw_model *named_network(thaw_context *context, const char *optimizer)
{
    thaw_model *model = NULL;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, named_network_build(model));
    for (size_t i = 0; i < thaw_model_parameter_count(model); i++) {
        thaw_parameter *parameter = thaw_model_parameter(model, i);
        const size_t count = thaw_shape_count(thaw_parameter_shape(parameter));
        float *values = thaw_parameter_edit(parameter);
        support_fill(values, count, (uint32_t)i + 1);
        for (size_t k = 0; k < count; k++)
            values[k] *= 0.4F;
    }
    support_optimize(model, optimizer);
    return model;
}

static void fill_whole_numbers(int32_t *into, size_t count, uint32_t seed, int below)
{
    float values[NAMED_MOST * NAMED_LENGTH];
    support_fill(values, count, seed);
    for (size_t i = 0; i < count; i++)
        into[i] = (int32_t)floorf((values[i] + 1) * (float)below / 2);
}

void named_batch_fill(named_batch *batch, int64_t count, uint32_t seed)
{
    batch->count = count;
    fill_whole_numbers(batch->ids, (size_t)count * NAMED_LENGTH, 100 + seed, NAMED_ROWS);
    support_fill(batch->numbers, (size_t)count * NAMED_NUMBERS, 200 + seed);
    fill_whole_numbers(batch->labels, (size_t)count, 300 + seed, NAMED_CLASSES);
    batch->inputs[0] = thaw_view_i32(batch->ids, 2, (int64_t[]){ count, NAMED_LENGTH });
    batch->inputs[1] = thaw_view_f32(batch->numbers, 2, (int64_t[]){ count, NAMED_NUMBERS });
    batch->targets = thaw_view_i32(batch->labels, 1, &count);
}
