#include <float.h>
#include <math.h>
#include <string.h>

#include "support/golden.h"
#include "support/layer.h"

enum { BATCH = 3 };

typedef struct problem {
    const char *name; /* of the golden values; NULL: there are none */
    thaw_shape sample;
    thaw_rms_norm_options options;
} problem;

static const problem problems[] = {
    { "vector", { 1, { 5 } }, { 0 } },
    { "sequence", { 2, { 3, 17 } }, { .epsilon = 1e-2 } },
    { "plain", { 3, { 2, 3, 6 } }, { .no_weight = true } },
    { NULL, { 1, { 1 } }, { 0 } },
    { NULL, { 2, { 40, 1300 } }, { .epsilon = 1e-6 } },
};

static layer open_layer(thaw_context *context, thaw_model **model, const problem *p, const layer_wish *wish)
{
    thaw_node node;
    *model = layer_model(context, p->sample.rank, p->sample.dims);
    assert_ok(context, thaw_rms_norm(*model, 0, &p->options, &node));
    layer_wish asked = *wish;
    asked.batch = BATCH;
    asked.parameter_gradient[0] = wish->training && !p->options.no_weight;
    return layer_open(*model, &asked);
}

/* One row by its definition: the output, the input's gradient, and what it adds to the weight's. */
static void check_row(const layer *l, const problem *p, size_t row, size_t columns, const float *input, double *weight)
{
    const double epsilon = p->options.epsilon > 0 ? p->options.epsilon : (double)FLT_EPSILON;
    const float *x = input + row * columns, *slope = l->output_gradient ? l->output_gradient + row * columns : NULL;
    double squares = 0, products = 0;
    for (size_t i = 0; i < columns; i++)
        squares += (double)x[i] * (double)x[i];
    const double inverse = 1 / sqrt(squares / (double)columns + epsilon);
    for (size_t i = 0; slope && i < columns; i++)
        products += (double)slope[i] * (double)x[i] * (p->options.no_weight ? 1 : (double)l->parameters[0][i]);
    for (size_t i = 0; i < columns; i++) {
        const double w = p->options.no_weight ? 1 : (double)l->parameters[0][i];
        const float expected = (float)((double)x[i] * inverse * w);
        assert_close((l->output ? l->output : l->inputs[0]) + row * columns + i, &expected, 1,
                     l->bfloat16 ? BFLOAT16_TOLERANCE : 1e-5, "output");
        if (!slope)
            continue;
        const double centred = w * (double)slope[i] - (double)x[i] * inverse * inverse * products / (double)columns;
        const float gradient = (float)(inverse * centred);
        assert_close(l->input_gradients[0] + row * columns + i, &gradient, 1, l->bfloat16 ? BFLOAT16_TOLERANCE : 1e-5,
                     "input's gradient");
        weight[i] += (double)slope[i] * (double)x[i] * inverse;
    }
}

static void check(const problem *p, const layer_wish *wish)
{
    static float input[1 << 18];
    double weight[1300] = { 0 };
    thaw_context *context = support_context(2);
    thaw_model *model;
    layer l = open_layer(context, &model, p, wish);
    const size_t columns = (size_t)p->sample.dims[p->sample.rank - 1];
    memcpy(input, l.inputs[0], l.input_size[0] * sizeof *input);
    layer_forward(&l);
    if (wish->training)
        layer_backward(&l);
    for (size_t row = 0; row < l.output_size / columns; row++)
        check_row(&l, p, row, columns, input, weight);
    for (size_t i = 0; l.parameter_gradients[0] && i < columns; i++) {
        const float expected = (float)weight[i];
        assert_close(l.parameter_gradients[0] + i, &expected, 1, 1e-4, "weight's gradient");
    }
    layer_close(&l, model);
    thaw_context_destroy(context);
}

Test(rms_norm, matches_the_definition)
{
    for (size_t i = 0; i < THAW_COUNT(problems); i++) {
        check(&problems[i], &(layer_wish){ .training = true, .input_gradients = true });
        check(&problems[i], &(layer_wish){ .in_place = true });
    }
}

Test(rms_norm, reads_and_writes_bfloat16)
{
    skip_without_bfloat16();
    for (size_t i = 0; i < THAW_COUNT(problems); i++)
        check(&problems[i], &(layer_wish){ .training = true, .input_gradients = true, .bfloat16 = true });
}

Test(rms_norm, equals_pytorch)
{
    FILE *file = golden_open("rms_norm.txt");
    thaw_context *context = support_context(2);
    for (size_t i = 0; i < THAW_COUNT(problems) && problems[i].name; i++) {
        thaw_model *model;
        layer l = open_layer(context, &model, &problems[i], &(layer_wish){ .training = true, .input_gradients = true });
        layer_equals_golden(&l, file, problems[i].name, 1e-5);
        layer_close(&l, model);
    }
    fclose(file);
    thaw_context_destroy(context);
}

Test(rms_norm, refuses_what_cannot_be)
{
    thaw_context *context = support_context(1);
    thaw_model *model = layer_model(context, 1, (const int64_t[]){ 3 });
    thaw_node node;
    const double wrong[] = { -1, NAN, INFINITY };
    for (size_t i = 0; i < THAW_COUNT(wrong); i++)
        assert_fails(context, thaw_rms_norm(model, 0, &(thaw_rms_norm_options){ .epsilon = wrong[i] }, &node),
                     THAW_INVALID_ARGUMENT, "epsilon is");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
