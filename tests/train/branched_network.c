#include "train/branched_network.h"

#include <string.h>

static const char *const groups[BRANCHED_GROUPS] = { "a", "b", "c" };

static thaw_node add_constant(thaw_model *model, int rank, float values[BRANCHED_UNITS])
{
    thaw_node constant;
    support_fill(values, BRANCHED_UNITS, 50);
    assert_ok(thaw_model_context(model),
              thaw_constant(model, &(thaw_constant_options){ .shape = { rank, { BRANCHED_UNITS } }, .values = values },
                            &constant));
    return constant;
}

static void fill_parameters(thaw_model *model)
{
    for (size_t i = 0; i < BRANCHED_PARAMETERS; i++) {
        thaw_parameter *parameter = thaw_model_parameter(model, i);
        support_fill(thaw_parameter_edit(parameter), thaw_shape_count(thaw_parameter_shape(parameter)),
                     (uint32_t)i + 1);
    }
}

static thaw_model *create_equal(thaw_context *context)
{
    thaw_model *model;
    float values[BRANCHED_UNITS];
    thaw_node x, a, b, k, left, right, gate, node;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ 1, { BRANCHED_FEATURES } }, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "a", .units = BRANCHED_UNITS }, &a));
    assert_ok(context, thaw_tanh(model, a, NULL, &a));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "b", .units = BRANCHED_UNITS }, &b));
    assert_ok(context, thaw_relu(model, b, NULL, &b));
    k = add_constant(model, 1, values);
    assert_ok(context, thaw_multiply(model, a, k, NULL, &left));
    assert_ok(context, thaw_subtract(model, k, b, NULL, &right));
    assert_ok(context, thaw_add(model, left, right, NULL, &left));
    assert_ok(context, thaw_multiply(model, b, a, NULL, &gate));
    assert_ok(context, thaw_concatenate(model, (const thaw_node[]){ gate, left, b }, 3, NULL, &node));
    assert_ok(context, thaw_dense(model, node, &(thaw_dense_options){ .name = "c", .units = BRANCHED_OUTPUTS }, &node));
    assert_ok(context, thaw_mse(model, node, NULL, &node));
    fill_parameters(model);
    return model;
}

static thaw_model *create_broadcast(thaw_context *context)
{
    thaw_model *model;
    float values[BRANCHED_UNITS];
    thaw_node x, a, b, row, number, node, gate;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ 2, { BRANCHED_STEPS, BRANCHED_FEATURES } }, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "a", .units = BRANCHED_UNITS }, &a));
    assert_ok(context, thaw_tanh(model, a, NULL, &a));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "b", .units = 1 }, &b));
    assert_ok(context, thaw_sigmoid(model, b, NULL, &b));
    row = add_constant(model, 1, values);
    number = add_constant(model, 0, values);
    assert_ok(context, thaw_multiply(model, b, a, NULL, &node));
    assert_ok(context, thaw_subtract(model, row, node, NULL, &node));
    assert_ok(context, thaw_multiply(model, node, number, NULL, &node));
    assert_ok(context, thaw_add(model, number, b, NULL, &gate));
    assert_ok(context, thaw_subtract(model, node, gate, NULL, &node));
    assert_ok(context, thaw_concatenate(model, (const thaw_node[]){ node, a, gate }, 3,
                                        &(thaw_concatenate_options){ .axis = -1 }, &node));
    assert_ok(context, thaw_dense(model, node, &(thaw_dense_options){ .name = "c", .units = BRANCHED_OUTPUTS }, &node));
    assert_ok(context, thaw_mse(model, node, NULL, &node));
    fill_parameters(model);
    return model;
}

const branched_network branched_equal = {
    "equal", create_equal, { 1, { BRANCHED_FEATURES } }, { 1, { BRANCHED_OUTPUTS } }
};
const branched_network branched_broadcast = { "broadcast",
                                              create_broadcast,
                                              { 2, { BRANCHED_STEPS, BRANCHED_FEATURES } },
                                              { 2, { BRANCHED_STEPS, BRANCHED_OUTPUTS } } };

void branched_train_only(thaw_model *model, unsigned trainable)
{
    for (unsigned i = 0; i < BRANCHED_GROUPS; i++)
        assert_ok(thaw_model_context(model),
                  trainable >> i & 1 ? thaw_model_unfreeze(model, groups[i]) : thaw_model_freeze(model, groups[i]));
}

thaw_tensor branched_fill(const thaw_shape *sample, size_t count, uint32_t seed, float *values)
{
    thaw_tensor tensor = { THAW_F32, { sample->rank + 1, { (int64_t)count } }, values };
    memcpy(&tensor.shape.dims[1], sample->dims, (size_t)sample->rank * sizeof sample->dims[0]);
    support_fill(values, count * thaw_shape_count(sample), seed);
    return tensor;
}
