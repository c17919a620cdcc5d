#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/golden.h"
#include "support/layer.h"

typedef struct problem {
    const char *name; /* of the golden values; NULL: there are none */
    int64_t batch;
    thaw_shape sample;
    thaw_embedding_options options;
} problem;

static const problem problems[] = {
    { "sequence", 3, { 1, { 5 } }, { .rows = 7, .width = 3 } },
    { "padded", 2, { 2, { 3, 4 } }, { .rows = 5, .width = 17, .use_padding_id = true, .padding_id = 2 } },
    { "one row", 1, { 1, { 1 } }, { .rows = 1, .width = 1 } },
    { NULL, 64, { 1, { 50 } }, { .rows = 300, .width = 70, .use_padding_id = true } },
    { NULL, 2, { 1, { 3 } }, { .rows = 40000, .width = 33 } },
};

/* Numbers that the golden script makes likewise. */
static void fill_ids(layer *l, const problem *p, uint32_t seed)
{
    support_fill(l->inputs[0], l->input_size[0], seed);
    for (size_t i = 0; i < l->input_size[0]; i++)
        l->inputs[0][i] = floorf((l->inputs[0][i] + 1) * (float)p->options.rows / 2);
}

static layer open_layer(thaw_context *context, thaw_model **model, const problem *p, bool trains)
{
    thaw_node node = 0;
    *model = layer_model(context, p->sample.rank, p->sample.dims);
    assert_ok(context, thaw_embedding(*model, node, &p->options, &node));
    layer l =
        layer_open(*model, &(layer_wish){ .batch = p->batch, .training = trains, .parameter_gradient = { trains } });
    fill_ids(&l, p, 100);
    return l;
}

static void compare_output(const layer *l, size_t width)
{
    for (size_t i = 0; i < l->input_size[0]; i++)
        cr_assert_eq(memcmp(l->output + i * width, l->parameters[0] + (size_t)l->inputs[0][i] * width,
                            width * sizeof(float)),
                     0, "row %zu", i);
}

static void compare_gradient(const layer *l, const problem *p)
{
    const size_t width = (size_t)p->options.width;
    float *expected = calloc(l->parameter_size[0], sizeof *expected);
    for (size_t i = 0; i < l->input_size[0]; i++)
        for (size_t c = 0; c < width; c++)
            if (!p->options.use_padding_id || (int64_t)l->inputs[0][i] != p->options.padding_id)
                expected[(size_t)l->inputs[0][i] * width + c] += l->output_gradient[i * width + c];
    assert_close(l->parameter_gradients[0], expected, l->parameter_size[0], 1e-6, "gradient");
    free(expected);
}

Test(embedding, picks_rows_and_sums_their_gradients)
{
    for (size_t i = 0; i < THAW_COUNT(problems); i++)
        for (int how = 0; how < 4; how++) {
            thaw_context *context = support_context(how & 1 ? 2 : 1);
            thaw_model *model;
            layer l = open_layer(context, &model, &problems[i], how & 2);
            cr_assert(!l.needs.keeps_inputs);
            layer_forward(&l);
            compare_output(&l, (size_t)problems[i].options.width);
            if (how & 2) {
                layer_backward(&l);
                compare_gradient(&l, &problems[i]);
            }
            layer_close(&l, model);
            thaw_context_destroy(context);
        }
}

/* The list that a plan keeps: rows of the step before are cleared, and no others. */
Test(embedding, clears_the_rows_of_the_step_before)
{
    for (size_t i = 0; i < THAW_COUNT(problems); i++) {
        const problem *p = &problems[i];
        thaw_context *context = support_context(2);
        thaw_model *model;
        layer l = open_layer(context, &model, p, true);
        cr_assert_eq(l.gradient_rows[0],
                     l.input_size[0] < (size_t)p->options.rows ? l.input_size[0] : (size_t)p->options.rows);
        thaw_gradient_rows rows = { .rows = calloc(l.gradient_rows[0], sizeof(uint32_t)) };
        l.listed_rows[0] = &rows;
        for (uint32_t step = 0; step < 5; step++) {
            fill_ids(&l, p, 100 + step);
            layer_forward(&l);
            layer_backward(&l);
            compare_gradient(&l, p);
            cr_assert(rows.known && rows.count <= l.gradient_rows[0]);
            for (size_t k = 0; k < rows.count; k++)
                for (size_t before = 0; before < k; before++)
                    cr_assert_neq(rows.rows[k], rows.rows[before], "row %u is named twice", rows.rows[k]);
        }
        free(rows.rows);
        layer_close(&l, model);
        thaw_context_destroy(context);
    }
}

Test(embedding, equals_pytorch)
{
    FILE *file = golden_open("embedding.txt");
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

/* Of N(0, 1), 20000 numbers: mean and variance within five deviations of their own. */
Test(embedding, begins_as_pytorch_does)
{
    enum { ROWS = 1000, WIDTH = 20, COUNT = ROWS * WIDTH, PADDING = 3 };
    thaw_context *context = support_context(1);
    thaw_model *model = layer_model(context, 1, (const int64_t[]){ 4 });
    thaw_node node = 0;
    const thaw_embedding_options options = {
        .name = "table", .rows = ROWS, .width = WIDTH, .use_padding_id = true, .padding_id = PADDING
    };
    assert_ok(context, thaw_embedding(model, node, &options, &node));
    cr_assert(thaw_shape_equal(thaw_model_node_shape(model, node), &(thaw_shape){ 2, { 4, WIDTH } }));
    thaw_parameter *table = thaw_model_find_parameter(model, "table.weight");
    cr_assert(thaw_shape_equal(thaw_parameter_shape(table), &(thaw_shape){ 2, { ROWS, WIDTH } }));
    for (int again = 0; again < 2; again++) {
        const float *values = thaw_parameter_data(table);
        double mean = 0, square = 0;
        for (size_t i = 0; i < COUNT; i++) {
            mean += (double)values[i] / COUNT;
            square += (double)values[i] * (double)values[i] / COUNT;
            cr_assert((values[i] == 0) == (i / WIDTH == PADDING));
        }
        cr_assert(fabs(mean) < 0.036 && fabs(square - 1) < 0.05, "mean %g, mean square %g", mean, square);
        thaw_parameter_edit(table)[PADDING * WIDTH] = 5;
        assert_ok(context, thaw_model_reset(model, "table"));
    }
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(embedding, refuses_ids_that_name_no_row)
{
    const float bad[] = { -1, 7, 0.5F, NAN, INFINITY, -INFINITY, 1e30F, 16777216 };
    thaw_context *context = support_context(1);
    thaw_model *model;
    layer l = open_layer(context, &model, &problems[0], false);
    for (size_t i = 0; i < THAW_COUNT(bad); i++) {
        thaw_layer_run run = l.run;
        run.inputs = (const void *const[]){ l.inputs[0] };
        run.output = l.output;
        run.parameters = (const float *const *)l.parameters;
        l.inputs[0][11] = bad[i];
        assert_fails(context, l.module->forward(&run), THAW_INVALID_ARGUMENT, "must be a whole number from 0 to 6");
    }
    layer_close(&l, model);
    thaw_context_destroy(context);
}

static void refuse(thaw_embedding_options options, const char *text)
{
    thaw_context *context = support_context(1);
    thaw_model *model = layer_model(context, 1, (const int64_t[]){ 4 });
    thaw_node node;
    assert_fails(context, thaw_embedding(model, 0, &options, &node), THAW_INVALID_ARGUMENT, text);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(embedding, refuses_bad_options)
{
    refuse((thaw_embedding_options){ .width = 3 }, "rows is 0");
    refuse((thaw_embedding_options){ .rows = 16777217, .width = 3 }, "rows is 16777217, must be from 1 to 16777216");
    refuse((thaw_embedding_options){ .rows = 3 }, "width is 0");
    refuse((thaw_embedding_options){ .rows = 3, .width = INT64_MAX / 2 }, "too large");
    refuse((thaw_embedding_options){ .rows = 3, .width = 2, .use_padding_id = true, .padding_id = 3 },
           "the padding id is 3, must be from 0 to 2");
    refuse((thaw_embedding_options){ .rows = 3, .width = 2, .use_padding_id = true, .padding_id = -1 },
           "the padding id is -1");
    thaw_context *context = support_context(1);
    thaw_model *model = layer_model(context, 6, (const int64_t[]){ 1, 1, 1, 1, 1, 1 });
    thaw_node node;
    assert_fails(context, thaw_embedding(model, 0, &(thaw_embedding_options){ .rows = 3, .width = 2 }, &node),
                 THAW_SHAPE_MISMATCH, "6 dimensions, must have at most 5");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(embedding, refuses_to_pass_a_gradient_on)
{
    thaw_context *context = support_context(1);
    thaw_model *model = layer_model(context, 1, (const int64_t[]){ 4 });
    thaw_node node = 0;
    const thaw_plan *plan;
    assert_ok(context, thaw_dense(model, node, &(thaw_dense_options){ .name = "below", .units = 4 }, &node));
    assert_ok(context, thaw_embedding(model, node, &(thaw_embedding_options){ .rows = 3, .width = 2 }, &node));
    assert_ok(context, thaw_mse(model, node, NULL, &node));
    assert_fails(context, thaw_model_plan(model, &(thaw_plan_options){ .batch = 2 }, &plan), THAW_INVALID_ARGUMENT,
                 "ids have no gradient");
    assert_ok(context, thaw_model_freeze(model, "below"));
    assert_ok(context, thaw_model_plan(model, &(thaw_plan_options){ .batch = 2 }, &plan));
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
