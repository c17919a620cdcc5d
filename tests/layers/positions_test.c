#include <string.h>

#include "support/golden.h"
#include "support/layer.h"

enum { BATCH = 3 };

typedef struct problem {
    const char *name; /* of the golden values; NULL: there are none */
    int64_t steps, width;
    thaw_positions_options options;
} problem;

static const problem problems[] = {
    { "all", 4, 5, { .parameter = "pos_embed", .leading = true } },
    { "shorter", 2, 3, { .rows = 5 } },
    { NULL, 1, 1, { .rows = 1 } },
    { NULL, 90, 270, { .rows = 91 } },
};

static layer open_layer(thaw_context *context, thaw_model **model, const problem *p, const layer_wish *wish)
{
    thaw_node node;
    *model = layer_model(context, 2, (const int64_t[]){ p->steps, p->width });
    assert_ok(context, thaw_positions(*model, 0, &p->options, &node));
    return layer_open(*model, wish);
}

static void check_gradient(const layer *l, const float *slopes, size_t count)
{
    for (size_t i = 0; i < l->parameter_size[0]; i++) {
        double sum = 0;
        for (size_t n = 0; n < BATCH && i < count; n++)
            sum += (double)slopes[n * count + i];
        cr_assert(l->parameter_gradients[0][i] == (float)sum, "gradient %zu", i);
    }
}

static void check(const problem *p, bool in_place)
{
    thaw_context *context = support_context(2);
    thaw_model *model;
    layer_wish wish = { .batch = BATCH, .training = true, .input_gradients = true, .in_place = in_place };
    wish.parameter_gradient[0] = true;
    layer l = open_layer(context, &model, p, &wish);
    const size_t count = l.input_size[0] / BATCH;
    static float inputs[1 << 17], slopes[1 << 17];
    memcpy(inputs, l.inputs[0], l.input_size[0] * sizeof *inputs);
    memcpy(slopes, l.output_gradient, l.output_size * sizeof *slopes);
    layer_forward(&l);
    layer_backward(&l);
    for (size_t i = 0; i < l.output_size; i++) {
        const float *y = in_place ? l.inputs[0] : l.output, *dx = in_place ? l.output_gradient : l.input_gradients[0];
        cr_assert(y[i] == inputs[i] + l.parameters[0][i % count], "output %zu", i);
        cr_assert(dx[i] == slopes[i], "input gradient %zu", i);
    }
    check_gradient(&l, slopes, count);
    layer_close(&l, model);
    thaw_context_destroy(context);
}

Test(positions, matches_the_definition)
{
    for (size_t i = 0; i < THAW_COUNT(problems); i++)
        for (int in_place = 0; in_place < 2; in_place++)
            check(&problems[i], in_place);
}

Test(positions, equals_pytorch)
{
    FILE *file = golden_open("positions.txt");
    thaw_context *context = support_context(2);
    for (size_t i = 0; i < THAW_COUNT(problems) && problems[i].name; i++) {
        thaw_model *model;
        layer_wish wish = { .batch = BATCH, .training = true, .input_gradients = true };
        wish.parameter_gradient[0] = true;
        layer l = open_layer(context, &model, &problems[i], &wish);
        layer_equals_golden(&l, file, problems[i].name, 1e-6);
        layer_close(&l, model);
    }
    fclose(file);
    thaw_context_destroy(context);
}

Test(positions, has_the_name_and_shape_that_files_want)
{
    thaw_context *context = support_context(1);
    thaw_model *model = layer_model(context, 2, (const int64_t[]){ 4, 3 });
    thaw_node node;
    assert_ok(context, thaw_positions(model, 0, &problems[0].options, &node));
    assert_ok(context, thaw_positions(model, node, &(thaw_positions_options){ .name = "p", .rows = 6 }, &node));
    cr_assert(thaw_shape_equal(thaw_parameter_shape(thaw_model_find_parameter(model, "pos_embed")),
                               &(thaw_shape){ 3, { 1, 4, 3 } }));
    cr_assert(thaw_shape_equal(thaw_parameter_shape(thaw_model_find_parameter(model, "p.weight")),
                               &(thaw_shape){ 2, { 6, 3 } }));
    assert_fails(context, thaw_positions(model, node, &(thaw_positions_options){ .rows = 3 }, &node),
                 THAW_INVALID_ARGUMENT, "rows is 3, must be at least 4, the length of the sequence");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
