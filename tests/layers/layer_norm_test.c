#include <math.h>

#include "support/golden.h"
#include "support/normalisation.h"

static const double epsilon = 1e-3;

typedef struct problem {
    const char *name; /* of the golden values; NULL: there are none */
    int64_t batch;
    thaw_shape sample;
    int dimensions;
    bool no_affine, no_bias;
} problem;

/* Sums of one run and of several, with and without a rest. */
static const problem problems[] = {
    { "vector", 3, { 1, { 5 } }, 0, false, false },    { "sequence", 2, { 2, { 3, 17 } }, 1, false, false },
    { "all", 2, { 3, { 3, 2, 5 } }, 3, false, false }, { "last two", 2, { 3, { 3, 2, 5 } }, 2, false, false },
    { "no bias", 4, { 1, { 33 } }, 1, false, true },   { "plain", 1, { 2, { 2, 7 } }, 1, true, false },
    { NULL, 1, { 1, { 1 } }, 1, false, false },        { NULL, 1, { 1, { 2500 } }, 1, false, false },
    { NULL, 70, { 2, { 5, 48 } }, 1, false, false },   { NULL, 5, { 4, { 2, 3, 7, 31 } }, 3, false, false },
};

static layer open_layer(thaw_context *context, thaw_model **model, const problem *p, const layer_wish *wish)
{
    const thaw_layer_norm_options options = {
        .dimensions = p->dimensions, .epsilon = epsilon, .no_affine = p->no_affine, .no_bias = p->no_bias
    };
    thaw_node node = 0;
    *model = layer_model(context, p->sample.rank, p->sample.dims);
    assert_ok(context, thaw_layer_norm(*model, node, &options, &node));
    layer_wish asked = *wish;
    asked.batch = p->batch;
    return layer_open(*model, &asked);
}

static support_normalisation normalisation_of(const problem *p)
{
    support_normalisation n = { (size_t)p->batch, 1, 1, 1, epsilon };
    for (int i = 0; i < p->sample.rank; i++)
        *(i < p->sample.rank - (p->dimensions ? p->dimensions : 1) ? &n.samples : &n.channels) *=
            (size_t)p->sample.dims[i];
    return n;
}

static void check(const problem *p, const layer_wish *wish, int threads)
{
    thaw_context *context = support_context(threads);
    thaw_model *model;
    layer l = open_layer(context, &model, p, wish);
    const support_normalisation n = normalisation_of(p);
    cr_assert_eq(l.needs.keeps_inputs, wish->input_gradients || wish->parameter_gradient[0]);
    cr_assert(!l.needs.mixes_samples);
    support_check_normalisation(&l, &n);
    layer_close(&l, model);
    thaw_context_destroy(context);
}

Test(layer_norm, matches_the_definition)
{
    for (size_t i = 0; i < THAW_COUNT(problems); i++)
        for (unsigned how = 0; how < 8; how++) {
            layer_wish wish = { .training = how, .input_gradients = how & 1 };
            wish.parameter_gradient[0] = how & 2 && !problems[i].no_affine;
            wish.parameter_gradient[1] = how & 4 && !problems[i].no_affine && !problems[i].no_bias;
            check(&problems[i], &wish, how & 1 ? 2 : 1);
        }
}

Test(layer_norm, reads_and_writes_bfloat16)
{
    skip_without_bfloat16();
    for (size_t i = 0; i < THAW_COUNT(problems); i++) {
        layer_wish wish = { .bfloat16 = true };
        check(&problems[i], &wish, 1);
        wish.in_place = true;
        check(&problems[i], &wish, 2);
        wish = (layer_wish){ .bfloat16 = true, .training = true, .input_gradients = true };
        wish.parameter_gradient[0] = !problems[i].no_affine;
        wish.parameter_gradient[1] = !problems[i].no_affine && !problems[i].no_bias;
        check(&problems[i], &wish, 2);
    }
}

Test(layer_norm, runs_in_place)
{
    for (size_t i = 0; i < THAW_COUNT(problems); i++)
        check(&problems[i], &(layer_wish){ .in_place = true }, 2);
}

/* Groups whose mean is large beside their deviation. */
Test(layer_norm, bears_a_large_mean)
{
    enum { COUNT = 3000 };
    thaw_context *context = support_context(2);
    thaw_model *model;
    const problem p = { NULL, 2, { 1, { COUNT } }, 1, true, false };
    layer l = open_layer(context, &model, &p, &(layer_wish){ 0 });
    for (size_t i = 0; i < l.input_size[0]; i++)
        l.inputs[0][i] = 1000 + l.inputs[0][i];
    layer_forward(&l);
    for (size_t n = 0; n < 2; n++) {
        double mean = 0, variance = 0;
        for (size_t i = 0; i < COUNT; i++)
            mean += (double)l.inputs[0][n * COUNT + i] / COUNT;
        for (size_t i = 0; i < COUNT; i++)
            variance += pow((double)l.inputs[0][n * COUNT + i] - mean, 2) / COUNT;
        for (size_t i = 0; i < COUNT; i++) {
            const float expected = (float)(((double)l.inputs[0][n * COUNT + i] - mean) / sqrt(variance + epsilon));
            assert_close(&l.output[n * COUNT + i], &expected, 1, 1e-4, "output");
        }
    }
    layer_close(&l, model);
    thaw_context_destroy(context);
}

Test(layer_norm, equals_pytorch)
{
    FILE *file = golden_open("layer_norm.txt");
    thaw_context *context = support_context(2);
    for (size_t i = 0; i < THAW_COUNT(problems) && problems[i].name; i++) {
        thaw_model *model;
        layer_wish wish = { .training = true, .input_gradients = true };
        wish.parameter_gradient[0] = !problems[i].no_affine;
        wish.parameter_gradient[1] = !problems[i].no_affine && !problems[i].no_bias;
        layer l = open_layer(context, &model, &problems[i], &wish);
        layer_equals_golden(&l, file, problems[i].name, 1e-5);
        layer_close(&l, model);
    }
    fclose(file);
    thaw_context_destroy(context);
}

Test(layer_norm, registers_pytorch_parameters)
{
    thaw_context *context = support_context(1);
    thaw_model *model = layer_model(context, 3, (const int64_t[]){ 2, 3, 4 });
    thaw_node node = 0;
    assert_ok(context, thaw_layer_norm(model, node, &(thaw_layer_norm_options){ .name = "n", .dimensions = 2 }, &node));
    const thaw_parameter *weight = thaw_model_find_parameter(model, "n.weight");
    const thaw_parameter *bias = thaw_model_find_parameter(model, "n.bias");
    cr_assert(thaw_shape_equal(thaw_parameter_shape(weight), &(thaw_shape){ 2, { 3, 4 } }));
    cr_assert(thaw_shape_equal(thaw_parameter_shape(bias), &(thaw_shape){ 2, { 3, 4 } }));
    cr_assert(thaw_shape_equal(thaw_model_node_shape(model, node), &(thaw_shape){ 3, { 2, 3, 4 } }));
    cr_assert(thaw_parameter_data(weight)[11] == 1 && thaw_parameter_data(bias)[11] == 0);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(layer_norm, refuses_what_cannot_be)
{
    thaw_context *context = support_context(1);
    thaw_model *model = layer_model(context, 2, (const int64_t[]){ 2, 3 });
    thaw_node node = 0;
    const double bad[] = { -1, NAN, INFINITY };
    for (size_t i = 0; i < THAW_COUNT(bad); i++)
        assert_fails(context, thaw_layer_norm(model, 0, &(thaw_layer_norm_options){ .epsilon = bad[i] }, &node),
                     THAW_INVALID_ARGUMENT, "epsilon is");
    assert_fails(context, thaw_layer_norm(model, 0, &(thaw_layer_norm_options){ .dimensions = -1 }, &node),
                 THAW_INVALID_ARGUMENT, "dimensions is -1");
    assert_fails(context, thaw_layer_norm(model, 0, &(thaw_layer_norm_options){ .dimensions = 3 }, &node),
                 THAW_SHAPE_MISMATCH, "[2, 3], must have at least 3 dimensions");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
