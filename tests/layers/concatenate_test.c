#include <stdio.h>

#include "support/golden.h"
#include "support/layer.h"

enum { BATCH = 3, MOST_INPUTS = 8 };

typedef struct arrangement {
    int axis;
    size_t count;
    thaw_shape shapes[MOST_INPUTS];
} arrangement;

static layer open_concatenate(thaw_context *context, thaw_model **model, const arrangement *a, const layer_wish *wish)
{
    static const float zeros[512];
    *model = layer_model(context, 1, (const int64_t[]){ 1 });
    thaw_node nodes[MOST_INPUTS], node;
    for (size_t k = 0; k < a->count; k++)
        assert_ok(context,
                  thaw_constant(*model, &(thaw_constant_options){ .shape = a->shapes[k], .values = zeros }, &nodes[k]));
    assert_ok(context,
              thaw_concatenate(*model, nodes, a->count, &(thaw_concatenate_options){ .axis = a->axis }, &node));
    return layer_open(*model, wish);
}

/* The input that holds element `at` of the results of a batch, and where in it, by going through indices. */
static size_t locate(const arrangement *a, const thaw_shape *result, size_t at, size_t *input)
{
    const int axis = a->axis < 0 ? a->axis + result->rank : a->axis;
    int64_t index[THAW_MAX_RANK] = { 0 };
    for (int i = result->rank; i-- > 0; at /= (size_t)result->dims[i])
        index[i] = (int64_t)(at % (size_t)result->dims[i]);
    for (*input = 0; index[axis] >= a->shapes[*input].dims[axis]; ++*input)
        index[axis] -= a->shapes[*input].dims[axis];
    size_t place = at;
    for (int i = 0; i < result->rank; i++)
        place = place * (size_t)a->shapes[*input].dims[i] + (size_t)index[i];
    return place;
}

static void check(const arrangement *a, unsigned frozen)
{
    thaw_context *context = support_context(2);
    thaw_model *model;
    layer l =
        open_concatenate(context, &model, a,
                         &(layer_wish){
                             .batch = BATCH, .training = true, .input_gradients = true, .frozen_inputs = frozen });
    const thaw_shape *result = thaw_model_node_shape(model, thaw_model_output(model));
    size_t elements = 0;
    layer_forward(&l);
    layer_backward(&l);
    for (size_t i = 0; i < l.output_size; i++) {
        size_t input;
        const size_t place = locate(a, result, i, &input);
        cr_assert(l.output[i] == l.inputs[input][place], "output %zu", i);
        if (l.input_gradients[input])
            cr_assert(l.input_gradients[input][place] == l.output_gradient[i], "gradient %zu", i);
    }
    for (size_t k = 0; k < a->count; k++) {
        elements += l.input_size[k];
        cr_assert_eq(l.input_gradients[k] == NULL, frozen >> k & 1);
    }
    cr_assert_eq(elements, l.output_size);
    layer_close(&l, model);
    thaw_context_destroy(context);
}

Test(concatenate, lays_inputs_one_after_the_other)
{
    static const arrangement arrangements[] = {
        { 0, 2, { { 1, { 5 } }, { 1, { 3 } } } },
        { -1, 2, { { 1, { 1 } }, { 1, { 1 } } } },
        { 2, 3, { { 3, { 3, 5, 2 } }, { 3, { 3, 5, 7 } }, { 3, { 3, 5, 1 } } } },
        { -1, 3, { { 3, { 3, 5, 2 } }, { 3, { 3, 5, 7 } }, { 3, { 3, 5, 1 } } } },
        { 1, 3, { { 3, { 3, 2, 4 } }, { 3, { 3, 7, 4 } }, { 3, { 3, 1, 4 } } } },
        { 0, 2, { { 3, { 3, 5, 2 } }, { 3, { 2, 5, 2 } } } },
        { -3, 2, { { 3, { 3, 5, 2 } }, { 3, { 2, 5, 2 } } } },
        { 5, 2, { { 6, { 2, 1, 3, 1, 2, 3 } }, { 6, { 2, 1, 3, 1, 2, 1 } } } },
        { 0,
          8,
          { { 1, { 1 } },
            { 1, { 2 } },
            { 1, { 3 } },
            { 1, { 4 } },
            { 1, { 5 } },
            { 1, { 6 } },
            { 1, { 7 } },
            { 1, { 8 } } } },
    };
    for (size_t i = 0; i < THAW_COUNT(arrangements); i++)
        for (unsigned frozen = 0; frozen < (1U << arrangements[i].count) - 1; frozen++)
            check(&arrangements[i], frozen);
}

Test(concatenate, equals_pytorch)
{
    static const arrangement arrangements[] = {
        { 0, 3, { { 2, { 2, 3 } }, { 2, { 1, 3 } }, { 2, { 4, 3 } } } },
        { 1, 2, { { 2, { 2, 3 } }, { 2, { 2, 1 } } } },
        { -1, 3, { { 3, { 2, 2, 3 } }, { 3, { 2, 2, 1 } }, { 3, { 2, 2, 3 } } } },
        { 1, 2, { { 3, { 2, 1, 3 } }, { 3, { 2, 4, 3 } } } },
    };
    FILE *file = golden_open("concatenate.txt");
    thaw_context *context = support_context(2);
    for (size_t i = 0; i < THAW_COUNT(arrangements); i++) {
        thaw_model *model;
        layer l = open_concatenate(context, &model, &arrangements[i],
                                   &(layer_wish){ .batch = BATCH, .training = true, .input_gradients = true });
        char title[32];
        float expected[BATCH * 30];
        snprintf(title, sizeof title, "axis %d", arrangements[i].axis);
        layer_forward(&l);
        layer_backward(&l);
        golden_case(file, title);
        golden_read(file, "output", expected, l.output_size);
        assert_close(l.output, expected, l.output_size, 1e-7, "output");
        for (size_t k = 0; k < l.input_count; k++) {
            golden_read(file, "gradient", expected, l.input_size[k]);
            assert_close(l.input_gradients[k], expected, l.input_size[k], 1e-7, "gradient");
        }
        layer_close(&l, model);
    }
    fclose(file);
    thaw_context_destroy(context);
}

static void refuse(const thaw_node *inputs, size_t count, int axis, thaw_status status, const char *text)
{
    static const float zeros[6];
    thaw_context *context = support_context(1);
    thaw_model *model = layer_model(context, 2, (const int64_t[]){ 2, 3 });
    thaw_node node = 77;
    assert_ok(context,
              thaw_constant(model, &(thaw_constant_options){ .shape = { 2, { 3, 2 } }, .values = zeros }, &node));
    assert_ok(context, thaw_constant(model, &(thaw_constant_options){ .shape = { 1, { 6 } }, .values = zeros }, &node));
    assert_fails(context, thaw_concatenate(model, inputs, count, &(thaw_concatenate_options){ .axis = axis }, &node),
                 status, text);
    cr_assert_eq(node, 2);
    cr_assert_eq(thaw_model_node_count(model), 3);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(concatenate, refuses_what_does_not_fit)
{
    refuse((const thaw_node[]){ 0 }, 1, 0, THAW_INVALID_ARGUMENT, "has 1 input, must have 2 to 8");
    refuse((const thaw_node[]){ 0 }, 0, 0, THAW_INVALID_ARGUMENT, "0 inputs");
    refuse((const thaw_node[9]){ 0 }, 9, 0, THAW_INVALID_ARGUMENT, "9 inputs");
    refuse((const thaw_node[]){ 0, 0 }, 2, 2, THAW_INVALID_ARGUMENT,
           "axis is 2 for shape [2, 3], must be from -2 to 1");
    refuse((const thaw_node[]){ 0, 0 }, 2, -3, THAW_INVALID_ARGUMENT,
           "axis is -3 for shape [2, 3], must be from -2 to 1");
    refuse((const thaw_node[]){ 0, 0, 1 }, 3, 0, THAW_SHAPE_MISMATCH, "inputs 0 and 2 have shapes [2, 3] and [3, 2]");
    refuse((const thaw_node[]){ 0, 2 }, 2, 0, THAW_SHAPE_MISMATCH, "inputs 0 and 1 have shapes [2, 3] and [6]");
}
