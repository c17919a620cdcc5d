#include <stdlib.h>

#include "support/layer.h"

typedef struct problem {
    int64_t batch, height, width, channels;
    thaw_pool2d_options options;
} problem;

/* Without ceil mode, whose corners windows_test.c compares with PyTorch. */
static const problem problems[] = {
    { 2, 8, 8, 32, { .kernel = { 2, 2 } } },
    { 1, 7, 5, 3, { .kernel = { 3, 2 }, .stride = { 2, 1 } } },
    { 3, 6, 7, 17, { .kernel = { 3, 3 }, .stride = { 2, 2 }, .padding = { 1, 1 } } },
    { 3, 6, 7, 17, { .kernel = { 3, 3 }, .stride = { 2, 2 }, .padding = { 1, 1 }, .exclude_padding = true } },
};

typedef struct place {
    int64_t n, row, column, c; /* of the output */
    size_t index;
} place;

/* The window's sum; adds its share of the gradient to the elements. Returns the sum divided. */
static double average(const problem *p, const layer *l, place at, float *input_gradient)
{
    const thaw_pool2d_options *o = &p->options;
    const int64_t stride[] = { o->stride[0] ? o->stride[0] : o->kernel[0], o->stride[1] ? o->stride[1] : o->kernel[1] };
    size_t inside[16], count = 0;
    for (int64_t k = 0; k < o->kernel[0] * o->kernel[1]; k++) {
        const int64_t y = at.row * stride[0] - o->padding[0] + k / o->kernel[1];
        const int64_t x = at.column * stride[1] - o->padding[1] + k % o->kernel[1];
        if (y >= 0 && y < p->height && x >= 0 && x < p->width)
            inside[count++] = (size_t)(((at.n * p->height + y) * p->width + x) * p->channels + at.c);
    }
    const double divisor = o->exclude_padding ? (double)count : (double)(o->kernel[0] * o->kernel[1]);
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += (double)l->inputs[0][inside[i]];
        input_gradient[inside[i]] += (float)((double)l->output_gradient[at.index] / divisor);
    }
    return sum / divisor;
}

static void check(const problem *p)
{
    thaw_context *context = support_context(2);
    thaw_model *model = layer_model(context, 3, (const int64_t[]){ p->height, p->width, p->channels });
    thaw_node node = 0;
    assert_ok(context, thaw_average_pool2d(model, node, &p->options, &node));
    layer l = layer_open(model, &(layer_wish){ .batch = p->batch, .training = true, .input_gradients = true });
    float *output = calloc(l.output_size, sizeof(float)), *gradient = calloc(l.input_size[0], sizeof(float));
    const int64_t *size = thaw_model_node_shape(model, node)->dims;
    for (size_t i = 0; i < l.output_size; i++) {
        const int64_t rest = (int64_t)i / p->channels;
        const place at = { rest / (size[0] * size[1]), rest / size[1] % size[0], rest % size[1],
                           (int64_t)i % p->channels, i };
        output[i] = (float)average(p, &l, at, gradient);
    }
    layer_forward(&l);
    layer_backward(&l);
    assert_close(l.output, output, l.output_size, 1e-6, "output");
    assert_close(l.input_gradients[0], gradient, l.input_size[0], 1e-6, "input gradient");
    free(output);
    free(gradient);
    layer_close(&l, model);
    thaw_context_destroy(context);
}

Test(average_pool2d, matches_the_definition)
{
    for (size_t i = 0; i < THAW_COUNT(problems); i++)
        check(&problems[i]);
}

static void refuse(thaw_pool2d_options options, thaw_status status, const char *text)
{
    thaw_context *context = support_context(1);
    thaw_model *model = layer_model(context, 3, (const int64_t[]){ 5, 5, 6 });
    thaw_node node;
    assert_fails(context, thaw_average_pool2d(model, 0, &options, &node), status, text);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(average_pool2d, refuses_bad_options)
{
    const thaw_status bad = THAW_INVALID_ARGUMENT;
    refuse((thaw_pool2d_options){ 0 }, bad, "kernel is [0, 0]");
    refuse((thaw_pool2d_options){ .kernel = { 2, 2 }, .dilation = { 1, 2 } }, bad, "dilation is 2, must be 1");
    refuse((thaw_pool2d_options){ .kernel = { 3, 3 }, .padding = { 2, 0 } }, bad, "at most half");
    refuse((thaw_pool2d_options){ .kernel = { 1, 9 } }, THAW_SHAPE_MISMATCH, "does not fit");
}
