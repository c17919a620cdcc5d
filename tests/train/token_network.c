#include "train/token_network.h"

#include <math.h>

#include "support/network.h"

thaw_model *token_network(thaw_context *context, bool cuts, const thaw_token_cross_entropy_options *options,
                          const char *optimizer)
{
    const thaw_input_options sequence = {
        .name = "ids", .dtype = THAW_I32, .shape = { 1, { TOKEN_LONGEST } }, .sequence = cuts
    };
    const thaw_input_options length = { .name = "length", .dtype = THAW_I32, .lengths = cuts };
    const thaw_embedding_options table = { .name = "table", .rows = TOKEN_ROWS, .width = 6 };
    thaw_model *model = NULL;
    thaw_node x, lengths;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_named_input(model, &sequence, &x));
    assert_ok(context, thaw_named_input(model, &length, &lengths));
    assert_ok(context, thaw_embedding(model, x, &table, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "mix", .units = 5 }, &x));
    assert_ok(context, thaw_tanh(model, x, NULL, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "last", .units = TOKEN_CLASSES }, &x));
    assert_ok(context, thaw_token_cross_entropy(model, x, options, &x));
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
    float values[TOKEN_MOST * TOKEN_LONGEST];
    support_fill(values, count, seed);
    for (size_t i = 0; i < count; i++)
        into[i] = (int32_t)floorf((values[i] + 1) * (float)below / 2);
}

void token_batch_fill(token_batch *batch, int64_t count, uint32_t seed)
{
    const size_t tokens = (size_t)count * TOKEN_LONGEST;
    batch->count = count;
    fill_whole_numbers(batch->ids, tokens, 100 + seed, TOKEN_ROWS);
    fill_whole_numbers(batch->lengths, (size_t)count, 200 + seed, 15);
    fill_whole_numbers(batch->labels, tokens, 300 + seed, TOKEN_CLASSES);
    for (int64_t i = 0; i < count; i++)
        batch->lengths[i]++;
    for (size_t i = 0; i < tokens; i++)
        if (i % 5 == 0 || (int32_t)(i % TOKEN_LONGEST) >= batch->lengths[i / TOKEN_LONGEST])
            batch->labels[i] = THAW_IGNORED_TOKEN;
    batch->inputs[0] = thaw_view_i32(batch->ids, 2, (int64_t[]){ count, TOKEN_LONGEST });
    batch->inputs[1] = thaw_view_i32(batch->lengths, 1, &count);
    batch->targets = thaw_view_i32(batch->labels, 2, (int64_t[]){ count, TOKEN_LONGEST });
}
