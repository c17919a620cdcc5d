/* Sums, differences and products of nodes. */
#include <stdio.h>
#include <string.h>

#include "support/golden.h"
#include "support/layer_slope.h"

enum { BATCH = 3, MOST = BATCH * 400 };

typedef thaw_status append_function(thaw_model *model, thaw_node left, thaw_node right,
                                    const thaw_simple_options *options, thaw_node *output);

typedef struct operation {
    const char *name;
    append_function *append;
    double (*value)(double left, double right);
    double (*slope[2])(double left, double right); /* by either operand */
} operation;

static double sum(double left, double right)
{
    return left + right;
}

static double difference(double left, double right)
{
    return left - right;
}

static double product(double left, double right)
{
    return left * right;
}

static double plus_one(double left, double right)
{
    (void)left;
    (void)right;
    return 1;
}

static double minus_one(double left, double right)
{
    return -plus_one(left, right);
}

static double first(double left, double right)
{
    (void)right;
    return left;
}

static double second(double left, double right)
{
    (void)left;
    return right;
}

static const operation operations[] = {
    { "add", thaw_add, sum, { plus_one, plus_one } },
    { "subtract", thaw_subtract, difference, { plus_one, minus_one } },
    { "multiply", thaw_multiply, product, { second, first } },
};

/* Constants hold the shapes; layer_open brings values of its own. */
static thaw_node append_shape(thaw_model *model, thaw_shape shape)
{
    static const float zeros[400];
    thaw_node node;
    assert_ok(thaw_model_context(model),
              thaw_constant(model, &(thaw_constant_options){ .shape = shape, .values = zeros }, &node));
    return node;
}

static layer open_pair(thaw_context *context, thaw_model **model, const operation *o, thaw_shape left, thaw_shape right,
                       const layer_wish *wish)
{
    *model = layer_model(context, 1, (const int64_t[]){ 1 });
    thaw_node node;
    assert_ok(context, o->append(*model, append_shape(*model, left), append_shape(*model, right), NULL, &node));
    return layer_open(*model, wish);
}

/* The operand's element for element `at` of the results of a batch. */
static size_t operand_index(size_t at, const thaw_shape *operand, const thaw_shape *result)
{
    size_t index = 0, stride = 1;
    for (int i = result->rank; i-- > 0; at /= (size_t)result->dims[i]) {
        const int own = i - (result->rank - operand->rank);
        if (own < 0)
            continue;
        index += operand->dims[own] == 1 ? 0 : at % (size_t)result->dims[i] * stride;
        stride *= (size_t)operand->dims[own];
    }
    return index + at * stride;
}

static void check_naive(const operation *o, thaw_shape left, thaw_shape right, unsigned frozen, int threads)
{
    thaw_context *context = support_context(threads);
    thaw_model *model;
    layer l =
        open_pair(context, &model, o, left, right,
                  &(layer_wish){ .batch = BATCH, .training = true, .input_gradients = true, .frozen_inputs = frozen });
    const thaw_shape *result = thaw_model_node_shape(model, thaw_model_output(model)), *shapes[] = { &left, &right };
    static double gradients[2][MOST];
    static float outputs[MOST], expected[MOST];
    memset(gradients, 0, sizeof gradients);
    for (size_t i = 0; i < l.output_size; i++) {
        const size_t at[] = { operand_index(i, &left, result), operand_index(i, &right, result) };
        const double values[] = { (double)l.inputs[0][at[0]], (double)l.inputs[1][at[1]] };
        outputs[i] = (float)o->value(values[0], values[1]);
        for (int k = 0; k < 2; k++)
            gradients[k][at[k]] += (double)l.output_gradient[i] * o->slope[k](values[0], values[1]);
    }
    layer_forward(&l);
    assert_close(l.output, outputs, l.output_size, 1e-7, o->name);
    layer_backward(&l);
    for (unsigned k = 0; k < 2; k++) {
        cr_assert_eq(l.input_gradients[k] == NULL, frozen >> k & 1);
        for (size_t i = 0; i < BATCH * thaw_shape_count(shapes[k]); i++)
            expected[i] = (float)gradients[k][i];
        if (l.input_gradients[k])
            assert_close(l.input_gradients[k], expected, l.input_size[k], 2e-7, "gradient");
    }
    layer_close(&l, model);
    thaw_context_destroy(context);
}

static const thaw_shape shapes[][2] = {
    { { 3, { 5, 3, 11 } }, { 3, { 5, 3, 11 } } },
    { { 3, { 5, 3, 11 } }, { 1, { 11 } } },
    { { 3, { 5, 3, 11 } }, { 0, { 0 } } },
    { { 3, { 5, 3, 11 } }, { 3, { 1, 1, 11 } } },
    { { 3, { 5, 3, 11 } }, { 3, { 5, 3, 1 } } },
    { { 3, { 5, 3, 11 } }, { 3, { 1, 3, 1 } } },
    { { 3, { 5, 1, 11 } }, { 3, { 5, 3, 1 } } },
    { { 2, { 7, 1 } }, { 1, { 13 } } },
    { { 1, { 1 } }, { 1, { 1 } } },
    { { 0, { 0 } }, { 0, { 0 } } },
    { { 1, { 399 } }, { 1, { 1 } } },
    { { 6, { 1, 2, 1, 3, 1, 2 } }, { 6, { 2, 2, 1, 1, 3, 2 } } },
};

Test(arithmetic, matches_the_definition_with_either_side_frozen)
{
    for (size_t o = 0; o < THAW_COUNT(operations); o++)
        for (size_t i = 0; i < THAW_COUNT(shapes); i++)
            for (unsigned frozen = 0; frozen < 3; frozen++) {
                check_naive(&operations[o], shapes[i][0], shapes[i][1], frozen, 1);
                check_naive(&operations[o], shapes[i][1], shapes[i][0], frozen, 2);
            }
}

/* ---- finite differences: exact in exact arithmetic, since each operation is linear in each operand ---- */

Test(arithmetic, gradients_match_finite_differences)
{
    for (size_t o = 0; o < THAW_COUNT(operations); o++) {
        for (size_t i = 0; i < THAW_COUNT(shapes); i++) {
            thaw_context *context = support_context(2);
            thaw_model *model;
            layer l = open_pair(context, &model, &operations[o], shapes[i][0], shapes[i][1],
                                &(layer_wish){ .batch = 2, .training = true, .input_gradients = true });
            layer_forward(&l);
            layer_backward(&l);
            for (size_t k = 0; k < 2; k++) {
                for (size_t e = 0; e < l.input_size[k]; e += 1 + l.input_size[k] / 7) {
                    const float slope = layer_slope(&l, &l.inputs[k][e], 1);
                    assert_close(&l.input_gradients[k][e], &slope, 1, 2e-5, operations[o].name);
                }
            }
            layer_close(&l, model);
            thaw_context_destroy(context);
        }
    }
}

/* ---- PyTorch ---- */

Test(arithmetic, equals_pytorch)
{
    static const thaw_shape pairs[][2] = {
        { { 3, { 2, 3, 4 } }, { 3, { 2, 3, 4 } } }, { { 3, { 2, 3, 4 } }, { 1, { 4 } } },
        { { 3, { 2, 1, 4 } }, { 3, { 2, 3, 1 } } }, { { 1, { 1 } }, { 2, { 3, 5 } } },
        { { 2, { 3, 1 } }, { 1, { 5 } } },          { { 3, { 2, 3, 1 } }, { 3, { 2, 3, 4 } } },
    };
    FILE *file = golden_open("arithmetic.txt");
    thaw_context *context = support_context(2);
    float expected[BATCH * 24];
    for (size_t i = 0; i < THAW_COUNT(pairs); i++) {
        for (size_t o = 0; o < THAW_COUNT(operations); o++) {
            thaw_model *model;
            layer l = open_pair(context, &model, &operations[o], pairs[i][0], pairs[i][1],
                                &(layer_wish){ .batch = BATCH, .training = true, .input_gradients = true });
            layer_forward(&l);
            layer_backward(&l);
            golden_case(file, operations[o].name);
            golden_read(file, "output", expected, l.output_size);
            assert_close(l.output, expected, l.output_size, 1e-6, "output");
            for (size_t k = 0; k < 2; k++) {
                golden_read(file, "gradient", expected, l.input_size[k]);
                assert_close(l.input_gradients[k], expected, l.input_size[k], 1e-6, "gradient");
            }
            layer_close(&l, model);
        }
    }
    fclose(file);
    thaw_context_destroy(context);
}

/* ---- in place ---- */

static void check_in_place(const operation *o, bool training)
{
    const thaw_shape shape = { 2, { 7, 9 } };
    thaw_context *context = support_context(2);
    thaw_model *model, *other;
    layer separate = open_pair(context, &other, o, shape, shape,
                               &(layer_wish){ .batch = 2, .training = training, .input_gradients = training });
    layer l =
        open_pair(context, &model, o, shape, shape,
                  &(layer_wish){ .batch = 2, .training = training, .input_gradients = training, .in_place = true });
    cr_assert_eq(l.needs.in_place, !training || o->value != product);
    cr_assert_eq(l.needs.keeps_inputs, training && o->value == product);
    cr_assert(l.needs.gradient_in_place && !l.needs.keeps_output);
    layer_forward(&separate);
    if (l.needs.in_place) {
        layer_forward(&l);
        assert_close(l.inputs[0], separate.output, l.output_size, 0, o->name);
    }
    if (training) {
        layer_backward(&separate);
        layer_backward(&l);
        assert_close(l.output_gradient, separate.input_gradients[0], l.output_size, 0, "first gradient");
        assert_close(l.input_gradients[1], separate.input_gradients[1], l.output_size, 0, "second gradient");
    }
    layer_close(&l, model);
    layer_close(&separate, other);
    thaw_context_destroy(context);
}

Test(arithmetic, runs_in_place_where_it_says_so)
{
    for (size_t o = 0; o < THAW_COUNT(operations); o++) {
        check_in_place(&operations[o], false);
        check_in_place(&operations[o], true);
    }
}

Test(arithmetic, of_two_shapes_writes_over_nothing)
{
    for (size_t o = 0; o < THAW_COUNT(operations); o++) {
        thaw_context *context = support_context(1);
        thaw_model *model;
        layer l = open_pair(context, &model, &operations[o], (thaw_shape){ 2, { 7, 9 } }, (thaw_shape){ 1, { 9 } },
                            &(layer_wish){ .batch = 2 });
        cr_assert(!l.needs.in_place && !l.needs.gradient_in_place);
        layer_close(&l, model);
        thaw_context_destroy(context);
    }
}

/* ---- refusals ---- */

Test(arithmetic, refuses_shapes_that_do_not_go_together)
{
    static const thaw_shape refused[][2] = { { { 1, { 4 } }, { 1, { 3 } } },
                                             { { 2, { 4, 3 } }, { 1, { 4 } } },
                                             { { 2, { 2, 3 } }, { 2, { 3, 2 } } } };
    for (size_t o = 0; o < THAW_COUNT(operations); o++) {
        for (size_t i = 0; i < THAW_COUNT(refused); i++) {
            thaw_context *context = support_context(1);
            thaw_model *model = layer_model(context, 1, (const int64_t[]){ 1 });
            const thaw_node left = append_shape(model, refused[i][0]), right = append_shape(model, refused[i][1]);
            thaw_node node;
            assert_fails(context, operations[o].append(model, left, right, NULL, &node), THAW_SHAPE_MISMATCH,
                         "must be equal or one of them 1");
            cr_assert_eq(thaw_model_node_count(model), 3);
            thaw_model_destroy(model);
            thaw_context_destroy(context);
        }
    }
}

Test(arithmetic, refuses_results_that_are_too_large)
{
    thaw_context *context = support_context(1);
    thaw_model *model = layer_model(context, 2, (const int64_t[]){ INT64_C(1) << 58, 1 });
    const thaw_node wide = append_shape(model, (thaw_shape){ 2, { 1, 64 } });
    thaw_node node;
    assert_fails(context, thaw_multiply(model, 0, wide, NULL, &node), THAW_SHAPE_MISMATCH, "too large");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
