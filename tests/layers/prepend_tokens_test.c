#include "support/golden.h"
#include "support/layer.h"

enum { BATCH = 3 };

typedef struct problem {
    const char *name; /* of the golden values; NULL: there are none */
    int64_t steps, width;
    thaw_prepend_tokens_options options;
} problem;

static const problem problems[] = {
    { "class token", 4, 5, { .parameter = "cls_token", .leading = true } },
    { "registers", 2, 3, { .tokens = 4 } },
    { NULL, 1, 1, { .tokens = 1 } },
    { NULL, 70, 300, { .tokens = 3 } },
};

static layer open_layer(thaw_context *context, thaw_model **model, const problem *p, bool learns)
{
    thaw_node node;
    *model = layer_model(context, 2, (const int64_t[]){ p->steps, p->width });
    assert_ok(context, thaw_prepend_tokens(*model, 0, &p->options, &node));
    layer_wish wish = { .batch = BATCH, .training = true, .input_gradients = true };
    wish.parameter_gradient[0] = learns;
    return layer_open(*model, &wish);
}

static void check(const problem *p, bool learns)
{
    thaw_context *context = support_context(2);
    thaw_model *model;
    layer l = open_layer(context, &model, p, learns);
    const size_t tokens = l.parameter_size[0], given = l.input_size[0] / BATCH, whole = tokens + given;
    layer_forward(&l);
    layer_backward(&l);
    for (size_t i = 0; i < l.output_size; i++) {
        const size_t n = i / whole, at = i % whole;
        const float expected = at < tokens ? l.parameters[0][at] : l.inputs[0][n * given + at - tokens];
        cr_assert(l.output[i] == expected, "output %zu", i);
        cr_assert(at < tokens || l.input_gradients[0][n * given + at - tokens] == l.output_gradient[i]);
    }
    for (size_t i = 0; learns && i < tokens; i++) {
        double sum = 0;
        for (size_t n = 0; n < BATCH; n++)
            sum += (double)l.output_gradient[n * whole + i];
        cr_assert(l.parameter_gradients[0][i] == (float)sum, "token gradient %zu", i);
    }
    layer_close(&l, model);
    thaw_context_destroy(context);
}

Test(prepend_tokens, matches_the_definition)
{
    for (size_t i = 0; i < THAW_COUNT(problems); i++)
        for (int learns = 0; learns < 2; learns++)
            check(&problems[i], learns);
}

Test(prepend_tokens, equals_pytorch)
{
    FILE *file = golden_open("prepend_tokens.txt");
    thaw_context *context = support_context(2);
    for (size_t i = 0; i < THAW_COUNT(problems) && problems[i].name; i++) {
        thaw_model *model;
        layer l = open_layer(context, &model, &problems[i], true);
        layer_equals_golden(&l, file, problems[i].name, 1e-6);
        layer_close(&l, model);
    }
    fclose(file);
    thaw_context_destroy(context);
}

Test(prepend_tokens, has_the_name_and_shape_that_files_want)
{
    thaw_context *context = support_context(1);
    thaw_model *model = layer_model(context, 2, (const int64_t[]){ 4, 3 });
    thaw_node node;
    assert_ok(context, thaw_prepend_tokens(model, 0, &problems[0].options, &node));
    assert_ok(context,
              thaw_prepend_tokens(model, node, &(thaw_prepend_tokens_options){ .name = "t", .tokens = 2 }, &node));
    const thaw_parameter *first = thaw_model_find_parameter(model, "cls_token");
    const thaw_parameter *second = thaw_model_find_parameter(model, "t.weight");
    cr_assert(thaw_shape_equal(thaw_parameter_shape(first), &(thaw_shape){ 3, { 1, 1, 3 } }));
    cr_assert(thaw_shape_equal(thaw_parameter_shape(second), &(thaw_shape){ 2, { 2, 3 } }));
    cr_assert(thaw_shape_equal(thaw_model_node_shape(model, node), &(thaw_shape){ 2, { 7, 3 } }));
    assert_fails(context, thaw_prepend_tokens(model, node, &problems[0].options, &node), THAW_DUPLICATE, "cls_token");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(prepend_tokens, refuses_what_cannot_be)
{
    thaw_context *context = support_context(1);
    thaw_model *model = layer_model(context, 1, (const int64_t[]){ 4 });
    thaw_node node;
    assert_fails(context, thaw_prepend_tokens(model, 0, NULL, &node), THAW_SHAPE_MISMATCH, "[4], must be a sequence");
    thaw_model_destroy(model);
    model = layer_model(context, 2, (const int64_t[]){ 4, 3 });
    const int64_t wrong[] = { -1, INT64_MAX };
    for (size_t i = 0; i < THAW_COUNT(wrong); i++)
        assert_fails(context,
                     thaw_prepend_tokens(model, 0, &(thaw_prepend_tokens_options){ .tokens = wrong[i] }, &node),
                     THAW_INVALID_ARGUMENT, "tokens is");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
