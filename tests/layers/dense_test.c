#include <stdlib.h>

#include "support/layer.h"

typedef struct sizes {
    size_t batch, features, units; /* `batch`: rows of all samples */
    size_t steps;                  /* rows of one sample; 0: it is none, but a vector */
} sizes;

/* The last two are large enough beside their batch for the way of swapped_dense.h; 17 and 64 rows: padded, and not. */
static const sizes all_sizes[] = { { 1, 1, 1, 0 },     { 1, 7, 5, 0 },      { 3, 17, 1, 0 },    { 16, 33, 64, 0 },
                                   { 37, 130, 67, 0 }, { 17, 130, 261, 0 }, { 64, 300, 260, 0 } };

static thaw_model *dense_model(thaw_context *context, sizes s, bool no_bias)
{
    const int64_t sequence[] = { (int64_t)s.steps, (int64_t)s.features };
    thaw_model *model = layer_model(context, s.steps ? 2 : 1, s.steps ? sequence : sequence + 1);
    thaw_node node = 0;
    assert_ok(context,
              thaw_dense(model, node, &(thaw_dense_options){ .units = (int64_t)s.units, .no_bias = no_bias }, &node));
    return model;
}

static void expect_forward(const layer *l, sizes s, bool relu, float *expected)
{
    for (size_t n = 0; n < s.batch; n++)
        for (size_t u = 0; u < s.units; u++) {
            double sum = l->parameter_count > 1 ? (double)l->parameters[1][u] : 0;
            for (size_t f = 0; f < s.features; f++)
                sum += (double)l->parameters[0][u * s.features + f] * (double)l->inputs[0][n * s.features + f];
            expected[n * s.units + u] = (float)(relu && sum < 0 ? 0 : sum);
        }
}

static void expect_input_gradient(const layer *l, sizes s, float *expected)
{
    for (size_t n = 0; n < s.batch; n++)
        for (size_t f = 0; f < s.features; f++) {
            double sum = 0;
            for (size_t u = 0; u < s.units; u++)
                sum += (double)l->parameters[0][u * s.features + f] * (double)l->output_gradient[n * s.units + u];
            expected[n * s.features + f] = (float)sum;
        }
}

static void expect_weight_gradient(const layer *l, sizes s, float *expected)
{
    for (size_t u = 0; u < s.units; u++)
        for (size_t f = 0; f < s.features; f++) {
            double sum = 0;
            for (size_t n = 0; n < s.batch; n++)
                sum += (double)l->inputs[0][n * s.features + f] * (double)l->output_gradient[n * s.units + u];
            expected[u * s.features + f] = (float)sum;
        }
}

static void expect_bias_gradient(const layer *l, sizes s, float *expected)
{
    for (size_t u = 0; u < s.units; u++) {
        double sum = 0;
        for (size_t n = 0; n < s.batch; n++)
            sum += (double)l->output_gradient[n * s.units + u];
        expected[u] = (float)sum;
    }
}

/* Checks whatever the wish demands; what it does not demand has no buffer to be written to. */
static void check(sizes s, bool no_bias, const layer_wish *wish)
{
    thaw_context *context = support_context(2);
    thaw_model *model = dense_model(context, s, no_bias);
    layer l = layer_open(model, wish);
    const size_t most = s.batch * s.units + s.batch * s.features + s.units * s.features;
    float *expected = malloc(most * sizeof *expected);
    const double exact = 1e-5, rounded = wish->bfloat16 ? exact + BFLOAT16_TOLERANCE : exact;
    layer_forward(&l);
    expect_forward(&l, s, wish->activation == THAW_ACTIVATION_RELU, expected);
    assert_close(l.output, expected, l.output_size, rounded, "output");
    if (wish->training)
        layer_backward(&l);
    if (l.input_gradients[0]) {
        expect_input_gradient(&l, s, expected);
        assert_close(l.input_gradients[0], expected, l.input_size[0], rounded, "input gradient");
    }
    if (l.parameter_gradients[0]) {
        expect_weight_gradient(&l, s, expected);
        assert_close(l.parameter_gradients[0], expected, l.parameter_size[0], exact, "weight gradient");
    }
    if (l.parameter_gradients[1]) {
        expect_bias_gradient(&l, s, expected);
        assert_close(l.parameter_gradients[1], expected, l.parameter_size[1], exact, "bias gradient");
    }
    free(expected);
    layer_close(&l, model);
    thaw_context_destroy(context);
}

Test(dense, matches_the_definition_in_training)
{
    for (size_t i = 0; i < THAW_COUNT(all_sizes); i++) {
        const int64_t batch = (int64_t)all_sizes[i].batch;
        check(all_sizes[i], false,
              &(layer_wish){
                  .batch = batch, .training = true, .input_gradients = true, .parameter_gradient = { true, true } });
        check(all_sizes[i], true,
              &(layer_wish){
                  .batch = batch, .training = true, .input_gradients = true, .parameter_gradient = { true } });
    }
}

Test(dense, computes_in_bfloat16)
{
    skip_without_bfloat16();
    for (size_t i = 0; i < THAW_COUNT(all_sizes); i++) {
        layer_wish wish = { .batch = (int64_t)all_sizes[i].batch, .bfloat16 = true };
        check(all_sizes[i], false, &wish);
        wish.activation = THAW_ACTIVATION_RELU;
        check(all_sizes[i], true, &wish);
        wish.activation = THAW_ACTIVATION_NONE;
        wish.training = wish.input_gradients = wish.parameter_gradient[1] = true;
        check(all_sizes[i], false, &wish);
        wish.parameter_gradient[0] = true;
        check(all_sizes[i], false, &wish);
    }
}

Test(dense, matches_the_definition_in_inference)
{
    for (size_t i = 0; i < THAW_COUNT(all_sizes); i++)
        for (int relu = 0; relu < 2; relu++)
            check(all_sizes[i], relu,
                  &(layer_wish){ .batch = (int64_t)all_sizes[i].batch,
                                 .activation = relu ? THAW_ACTIVATION_RELU : THAW_ACTIVATION_NONE });
}

Test(dense, takes_the_rows_of_a_sequence)
{
    static const sizes sequences[] = { { 1, 7, 5, 1 }, { 3, 5, 1, 3 }, { 15, 17, 6, 5 }, { 68, 130, 261, 17 } };
    for (size_t i = 0; i < THAW_COUNT(sequences); i++)
        for (int subset = 0; subset < 8; subset++)
            check(sequences[i], false,
                  &(layer_wish){ .batch = (int64_t)(sequences[i].batch / sequences[i].steps),
                                 .training = subset > 0,
                                 .input_gradients = subset & 1,
                                 .parameter_gradient = { subset & 2, subset & 4 } });
}

Test(dense, computes_the_gradients_that_are_demanded)
{
    for (size_t i = 0; i < THAW_COUNT(all_sizes); i++)
        for (int subset = 1; subset < 8; subset++)
            check(all_sizes[i], false,
                  &(layer_wish){ .batch = (int64_t)all_sizes[i].batch,
                                 .training = true,
                                 .activation = THAW_ACTIVATION_RELU,
                                 .input_gradients = subset & 1,
                                 .parameter_gradient = { subset & 2, subset & 4 } });
}

Test(dense, keeps_its_input_only_for_the_weight)
{
    thaw_context *context = support_context(1);
    for (int trains = 0; trains < 2; trains++) {
        thaw_model *model = dense_model(context, (sizes){ 4, 8, 8, 0 }, false);
        layer l =
            layer_open(model, &(layer_wish){
                                  .training = true, .input_gradients = true, .parameter_gradient = { trains, true } });
        cr_assert_eq(l.needs.keeps_inputs, trains);
        layer_close(&l, model);
    }
    thaw_context_destroy(context);
}

Test(dense, registers_pytorch_parameters)
{
    thaw_context *context = support_context(1);
    thaw_model *model = layer_model(context, 1, (const int64_t[]){ 6 });
    thaw_node node = 0;
    assert_ok(context, thaw_dense(model, node, &(thaw_dense_options){ .name = "fc", .units = 4 }, &node));
    const thaw_shape *weight = thaw_parameter_shape(thaw_model_find_parameter(model, "fc.weight"));
    const thaw_shape *bias = thaw_parameter_shape(thaw_model_find_parameter(model, "fc.bias"));
    cr_assert(thaw_shape_equal(weight, &(thaw_shape){ 2, { 4, 6 } }));
    cr_assert(thaw_shape_equal(bias, &(thaw_shape){ 1, { 4 } }));
    cr_assert(thaw_shape_equal(thaw_model_node_shape(model, node), &(thaw_shape){ 1, { 4 } }));
    thaw_model_destroy(model);
    model = layer_model(context, 3, (const int64_t[]){ 5, 3, 6 });
    assert_ok(context, thaw_dense(model, 0, &(thaw_dense_options){ .units = 4 }, &node));
    cr_assert(thaw_shape_equal(thaw_model_node_shape(model, node), &(thaw_shape){ 3, { 5, 3, 4 } }));
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(dense, refuses_bad_options)
{
    thaw_context *context = support_context(1);
    thaw_model *model = layer_model(context, 1, (const int64_t[]){ 6 });
    thaw_node node;
    assert_fails(context, thaw_dense(model, 0, NULL, &node), THAW_INVALID_ARGUMENT, "units is 0");
    assert_fails(context, thaw_dense(model, 0, &(thaw_dense_options){ .units = -3 }, &node), THAW_INVALID_ARGUMENT,
                 "units is -3");
    assert_fails(context, thaw_dense(model, 0, &(thaw_dense_options){ .units = INT64_MAX }, &node),
                 THAW_INVALID_ARGUMENT, "too large");
    assert_fails(context, thaw_dense(model, 1, &(thaw_dense_options){ .units = 2 }, &node), THAW_INVALID_ARGUMENT,
                 "is not a node");
    const thaw_constant_options number = { .values = (const float[]){ 1 } };
    assert_ok(context, thaw_constant(model, &number, &node));
    assert_fails(context, thaw_dense(model, node, &(thaw_dense_options){ .units = 2 }, &node), THAW_SHAPE_MISMATCH,
                 "the input is a number");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
