#include "support/elementwise.h"

#include <math.h>
#include <string.h>

#include "onednn/kernel.h"

enum { BATCH = 3, MOST = 3 * 7 * 5 * 19 };

static const int64_t dims[] = { 7, 5, 19 };

/* Spreads the inputs over [-8, 8), a tenth of them far out, and away from kinks. */
static void spread(const elementwise_case *c, layer *l)
{
    float *values = l->inputs[0];
    for (size_t i = 0; i < l->input_size[0]; i++)
        values[i] *= i % 10 == 0 ? 40.0F : 8.0F;
    layer_round(l);
    for (size_t i = 0; i < l->input_size[0]; i++)
        for (int k = 0; k < 2; k++)
            if (fabs((double)values[i] - c->kink[k]) < 0.01)
                values[i] += 0.05F;
    layer_round(l);
}

static layer open(const elementwise_case *c, thaw_context *context, thaw_model **model, const layer_wish *wish)
{
    thaw_node node;
    *model = layer_model(context, 3, dims);
    assert_ok(context, c->append(*model, &node));
    layer l = layer_open(*model, wish);
    spread(c, &l);
    return l;
}

/* A gradient that is computed from an output that was rounded differs by as much again, and twice that of tanh. */
static double tolerance_of(const elementwise_case *c, const layer *l)
{
    return c->tolerance + (l->bfloat16 ? 2 * BFLOAT16_TOLERANCE : 0);
}

static void check_forward(const elementwise_case *c, const layer *l, const float *inputs, const float *output)
{
    float expected[MOST];
    for (size_t i = 0; i < l->output_size; i++)
        expected[i] = (float)c->function((double)inputs[i]);
    assert_close(output, expected, l->output_size, tolerance_of(c, l), "output");
}

static void check_backward(const elementwise_case *c, const layer *l, const float *inputs, const float *output_gradient,
                           const float *input_gradient)
{
    const double step = 1e-5;
    float expected[MOST];
    for (size_t i = 0; i < l->output_size; i++) {
        const double x = (double)inputs[i];
        const double slope = (c->function(x + step) - c->function(x - step)) / (2 * step);
        expected[i] = (float)(slope * (double)output_gradient[i]);
    }
    assert_close(input_gradient, expected, l->output_size, tolerance_of(c, l), "input gradient");
}

static void check_separate(const elementwise_case *c, thaw_context *context, bool bfloat16)
{
    thaw_model *model;
    layer l = open(c, context, &model,
                   &(layer_wish){ .batch = BATCH, .bfloat16 = bfloat16, .training = true, .input_gradients = true });
    cr_assert_eq(l.needs.in_place, c->in_place);
    cr_assert_eq(l.needs.keeps_inputs, !c->in_place);
    cr_assert_eq(l.needs.keeps_output, c->in_place);
    layer_forward(&l);
    layer_backward(&l);
    check_forward(c, &l, l.inputs[0], l.output);
    check_backward(c, &l, l.inputs[0], l.output_gradient, l.input_gradients[0]);
    layer_close(&l, model);
}

/* With everything over one buffer: the input is gone when backward runs. */
static void check_in_place(const elementwise_case *c, thaw_context *context, bool bfloat16)
{
    thaw_model *model;
    layer l =
        open(c, context, &model,
             &(layer_wish){
                 .batch = BATCH, .bfloat16 = bfloat16, .training = true, .in_place = true, .input_gradients = true });
    float inputs[MOST], gradient[MOST];
    memcpy(inputs, l.inputs[0], l.input_size[0] * sizeof(float));
    memcpy(gradient, l.output_gradient, l.output_size * sizeof(float));
    layer_forward(&l);
    check_forward(c, &l, inputs, l.inputs[0]);
    layer_backward(&l);
    check_backward(c, &l, inputs, gradient, l.output_gradient);
    layer_close(&l, model);
}

static void check_inference(const elementwise_case *c, thaw_context *context, bool bfloat16)
{
    thaw_model *model;
    layer l = open(c, context, &model, &(layer_wish){ .batch = BATCH, .bfloat16 = bfloat16, .in_place = true });
    cr_assert(l.needs.in_place && !l.needs.keeps_inputs && !l.needs.keeps_output);
    float inputs[MOST];
    memcpy(inputs, l.inputs[0], l.input_size[0] * sizeof(float));
    layer_forward(&l);
    check_forward(c, &l, inputs, l.inputs[0]);
    layer_close(&l, model);
}

static void check_precision(const elementwise_case *c, bool bfloat16)
{
    thaw_context *context = support_context(2);
    check_separate(c, context, bfloat16);
    if (c->in_place)
        check_in_place(c, context, bfloat16);
    check_inference(c, context, bfloat16);
    thaw_context_destroy(context);
}

void check_elementwise(const elementwise_case *c)
{
    check_precision(c, false);
    if (thaw_dnn_bfloat16() != THAW_BFLOAT16_MISSING)
        check_precision(c, true);
}
