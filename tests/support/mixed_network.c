#include "support/mixed_network.h"

#include <stdlib.h>

enum { LENGTH = 6, FEATURES = 3, WIDTH = 4, STATE = 5, MOST_SAMPLES = 16 };

const char *const mixed_groups[MIXED_GROUPS] = { "conv1", "norm",   "conv2", "conv2.weight.lora",
                                                 "lstm",  "dense1", "dense2" };

const mixed_node mixed_nodes[MIXED_NODES] = {
    { { -1, -1 }, 0 },                                 /* input */
    { { 0, -1 }, 1 << MIXED_CONV1 },                   /* conv1 */
    { { 1, -1 }, 1 << MIXED_NORM },                    /* norm */
    { { 2, -1 }, 0 },                                  /* relu */
    { { 3, -1 }, 1 << MIXED_CONV2 | 1 << MIXED_LORA }, /* conv2 */
    { { 4, 3 }, 0 },                                   /* the residual sum */
    { { 5, -1 }, 0 },                                  /* relu */
    { { 6, -1 }, 1 << MIXED_LSTM },                    /* lstm */
    { { 7, -1 }, 1 << MIXED_DENSE1 },                  /* dense1 */
    { { 8, -1 }, 0 },                                  /* tanh */
    { { 9, -1 }, 1 << MIXED_DENSE2 },                  /* dense2 */
    { { 10, -1 }, 0 },                                 /* loss */
};

bool support_mixed_is_left(size_t index)
{
    return index % 3 != 1;
}

static void mask(thaw_context *context, thaw_model *model)
{
    const thaw_shape *shape = thaw_parameter_shape(thaw_model_find_parameter(model, "dense1.weight"));
    const size_t count = thaw_shape_count(shape);
    unsigned char *values = malloc(count);
    for (size_t i = 0; i < count; i++)
        values[i] = support_mixed_is_left(i);
    assert_ok(context, thaw_mask(model, "dense1.weight", &(thaw_tensor){ THAW_U8, *shape, values }));
    free(values);
}

static void append_residual(thaw_context *context, thaw_model *model, thaw_node *x)
{
    const thaw_conv1d_options first = { .name = "conv1", .filters = WIDTH, .kernel = 3, .same = true };
    const thaw_conv1d_options second = { .name = "conv2", .filters = WIDTH, .kernel = 3, .same = true };
    thaw_node beside;
    assert_ok(context, thaw_conv1d(model, *x, &first, x));
    assert_ok(context, thaw_batch_norm(model, *x, &(thaw_batch_norm_options){ .name = "norm" }, x));
    assert_ok(context, thaw_relu(model, *x, NULL, x));
    assert_ok(context, thaw_conv1d(model, *x, &second, &beside));
    assert_ok(context, thaw_add(model, beside, *x, NULL, x));
    assert_ok(context, thaw_relu(model, *x, NULL, x));
}

thaw_model *support_mixed_network(thaw_context *context)
{
    thaw_model *model;
    thaw_node x;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ 2, { LENGTH, FEATURES } }, &x));
    append_residual(context, model, &x);
    assert_ok(context,
              thaw_lstm(model, x, &(thaw_recurrent_options){ .name = "lstm", .units = STATE, .last_only = true }, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "dense1", .units = 7 }, &x));
    assert_ok(context, thaw_tanh(model, x, NULL, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "dense2", .units = MIXED_OUTPUTS }, &x));
    assert_ok(context, thaw_mse(model, x, NULL, &x));
    cr_assert_eq(x, MIXED_NODES - 1);
    assert_ok(context, thaw_lora(model, "conv2", 2, 3));
    thaw_parameter *up = thaw_model_find_parameter(model, "conv2.weight.lora_B");
    support_fill(thaw_parameter_edit(up), thaw_shape_count(thaw_parameter_shape(up)), 30);
    mask(context, model);
    assert_ok(context, thaw_model_unfreeze(model, "*"));
    return model;
}

void support_mixed_train_only(thaw_model *model, unsigned subset)
{
    for (unsigned i = 0; i < MIXED_GROUPS; i++)
        assert_ok(thaw_model_context(model),
                  (subset >> i & 1 ? thaw_model_unfreeze : thaw_model_freeze)(model, mixed_groups[i]));
}

thaw_status support_mixed_step(thaw_model *model, int64_t count, uint32_t seed, const thaw_step_options *options,
                               thaw_step_result *result)
{
    static float values[MOST_SAMPLES * LENGTH * FEATURES], wanted[MOST_SAMPLES * MIXED_OUTPUTS];
    cr_assert(count <= MOST_SAMPLES);
    support_fill(values, (size_t)count * LENGTH * FEATURES, seed);
    support_fill(wanted, (size_t)count * MIXED_OUTPUTS, seed + 1000);
    const thaw_tensor inputs = thaw_view_f32(values, 3, (int64_t[]){ count, LENGTH, FEATURES });
    const thaw_tensor targets = thaw_view_f32(wanted, 2, (int64_t[]){ count, MIXED_OUTPUTS });
    return thaw_step(model, &inputs, &targets, options, result);
}
