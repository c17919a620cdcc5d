#include <math.h>
#include <stdlib.h>

#include "support/layer.h"

typedef struct problem {
    int64_t batch, height, width, channels;
    thaw_pool2d_options options;
    int64_t output[2]; /* as PyTorch's */
} problem;

static const problem problems[] = {
    { 2, 24, 24, 32, { .kernel = { 2, 2 } }, { 12, 12 } },
    { 1, 7, 5, 3, { .kernel = { 2, 2 } }, { 3, 2 } },
    { 2, 7, 5, 17, { .kernel = { 2, 2 }, .ceil_mode = true }, { 4, 3 } },
    { 2, 9, 8, 16, { .kernel = { 3, 3 }, .stride = { 2, 2 }, .padding = { 1, 1 } }, { 5, 4 } },
    { 2, 6, 6, 5, { .kernel = { 3, 2 }, .stride = { 1, 3 }, .padding = { 1, 0 } }, { 6, 2 } },
    { 1, 8, 9, 4, { .kernel = { 2, 3 }, .stride = { 1, 1 }, .dilation = { 3, 2 } }, { 5, 5 } },
    { 1, 4, 4, 2, { .kernel = { 2, 2 }, .stride = { 3, 3 }, .padding = { 1, 1 }, .ceil_mode = true }, { 2, 2 } },
    { 1, 1, 1, 1, { .kernel = { 1, 1 } }, { 1, 1 } },
    { 2, 2, 2, 9, { .kernel = { 2, 2 }, .stride = { 1, 1 }, .padding = { 1, 1 }, .dilation = { 3, 1 } }, { 1, 3 } },
    { 3, 5, 2, 4, { .kernel = { 3, 2 }, .stride = { 1, 1 }, .padding = { 1, 1 }, .dilation = { 2, 3 } }, { 3, 1 } },
    { 2, 3, 3, 17, { .kernel = { 2, 2 }, .stride = { 1, 1 }, .padding = { 1, 1 }, .dilation = { 4, 4 } }, { 1, 1 } },
    { 1, 4, 4, 8, { .kernel = { 2, 2 }, .stride = { 1, 1 }, .padding = { 1, 1 }, .dilation = { 5, 1 } }, { 1, 5 } },
};

/* Index of the first largest element of a window, as PyTorch scans it. */
static size_t largest(const problem *p, const layer *l, int64_t n, int64_t row, int64_t column, int64_t c)
{
    const thaw_pool2d_options *o = &p->options;
    size_t best = SIZE_MAX;
    for (int64_t k = 0; k < o->kernel[0] * o->kernel[1]; k++) {
        const int64_t y = row * (o->stride[0] ? o->stride[0] : o->kernel[0]) - o->padding[0] +
                          k / o->kernel[1] * (o->dilation[0] ? o->dilation[0] : 1);
        const int64_t x = column * (o->stride[1] ? o->stride[1] : o->kernel[1]) - o->padding[1] +
                          k % o->kernel[1] * (o->dilation[1] ? o->dilation[1] : 1);
        if (y < 0 || y >= p->height || x < 0 || x >= p->width)
            continue;
        const size_t index = (size_t)(((n * p->height + y) * p->width + x) * p->channels + c);
        if (best == SIZE_MAX || l->inputs[0][index] > l->inputs[0][best])
            best = index;
    }
    return best;
}

static void expect(const problem *p, const layer *l, float *output, float *input_gradient)
{
    const int64_t positions = p->output[0] * p->output[1];
    size_t index = 0;
    for (int64_t n = 0; n < p->batch; n++)
        for (int64_t position = 0; position < positions; position++)
            for (int64_t c = 0; c < p->channels; c++, index++) {
                const size_t best = largest(p, l, n, position / p->output[1], position % p->output[1], c);
                output[index] = best == SIZE_MAX ? -INFINITY : l->inputs[0][best]; /* in padding alone */
                if (l->output_gradient && best != SIZE_MAX)
                    input_gradient[best] += l->output_gradient[index];
            }
}

static void check(const problem *p, bool training, bool ties, bool bfloat16)
{
    thaw_context *context = support_context(2);
    thaw_model *model = layer_model(context, 3, (const int64_t[]){ p->height, p->width, p->channels });
    thaw_node node = 0;
    assert_ok(context, thaw_max_pool2d(model, node, &p->options, &node));
    const thaw_shape wanted = { 3, { p->output[0], p->output[1], p->channels } };
    cr_assert(thaw_shape_equal(thaw_model_node_shape(model, node), &wanted));
    layer l =
        layer_open(model,
                   &(layer_wish){
                       .batch = p->batch, .bfloat16 = bfloat16, .training = training, .input_gradients = training });
    for (size_t i = 0; i < l.input_size[0]; i++) /* all negative: padding must not win */
        l.inputs[0][i] = ties ? -1 - (float)(i % 3 == 0) : l.inputs[0][i] - 2;
    layer_round(&l);
    float *output = calloc(l.output_size, sizeof(float)), *gradient = calloc(l.input_size[0], sizeof(float));
    expect(p, &l, output, gradient);
    layer_forward(&l);
    for (size_t i = 0; i < l.output_size; i++)
        cr_assert(l.output[i] == output[i], "output[%zu]: %g, expected %g", i, (double)l.output[i], (double)output[i]);
    if (training) {
        layer_backward(&l);
        /* Where windows overlap, sums are rounded on the way. */
        assert_close(l.input_gradients[0], gradient, l.input_size[0], bfloat16 ? 4 * BFLOAT16_TOLERANCE : 1e-6,
                     "input gradient");
    }
    free(output);
    free(gradient);
    layer_close(&l, model);
    thaw_context_destroy(context);
}

Test(max_pool2d, matches_the_definition_in_training)
{
    for (size_t i = 0; i < THAW_COUNT(problems); i++)
        check(&problems[i], true, false, false);
}

Test(max_pool2d, matches_the_definition_in_inference)
{
    for (size_t i = 0; i < THAW_COUNT(problems); i++)
        check(&problems[i], false, false, false);
}

Test(max_pool2d, gives_a_tie_to_the_first)
{
    for (size_t i = 0; i < THAW_COUNT(problems); i++)
        check(&problems[i], true, true, false);
}

Test(max_pool2d, computes_in_bfloat16)
{
    skip_without_bfloat16();
    for (size_t i = 0; i < THAW_COUNT(problems); i++) {
        check(&problems[i], true, false, true);
        check(&problems[i], true, true, true);
        check(&problems[i], false, false, true);
    }
}

static void refuse(thaw_pool2d_options options, thaw_status status, const char *text)
{
    thaw_context *context = support_context(1);
    thaw_model *model = layer_model(context, 3, (const int64_t[]){ 5, 5, 6 });
    thaw_node node;
    assert_fails(context, thaw_max_pool2d(model, 0, &options, &node), status, text);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(max_pool2d, refuses_bad_options)
{
    const thaw_status bad = THAW_INVALID_ARGUMENT;
    refuse((thaw_pool2d_options){ 0 }, bad, "kernel is [0, 0]");
    refuse((thaw_pool2d_options){ .kernel = { 2, 2 }, .stride = { 1, -2 } }, bad, "stride is [1, -2]");
    refuse((thaw_pool2d_options){ .kernel = { 2, 2 }, .dilation = { -1, 1 } }, bad, "dilation is [-1, 1]");
    refuse((thaw_pool2d_options){ .kernel = { 2, 2 }, .padding = { -1, 0 } }, bad, "padding is [-1, 0]");
    refuse((thaw_pool2d_options){ .kernel = { 2, 2 }, .padding = { 0, 2 } }, bad, "at most half");
    refuse((thaw_pool2d_options){ .kernel = { 2, 2 }, .exclude_padding = true }, bad, "exclude_padding");
    refuse((thaw_pool2d_options){ .kernel = { 6, 1 } }, THAW_SHAPE_MISMATCH, "does not fit");
}

Test(max_pool2d, refuses_an_input_that_is_no_image)
{
    thaw_context *context = support_context(1);
    thaw_model *model = layer_model(context, 1, (const int64_t[]){ 5 });
    thaw_node node;
    assert_fails(context, thaw_max_pool2d(model, 0, &(thaw_pool2d_options){ .kernel = { 1, 1 } }, &node),
                 THAW_SHAPE_MISMATCH, "[5]");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
