#include <stdlib.h>
#include <string.h>

#include "support/layer.h"

typedef struct problem {
    int64_t batch, height, width, channels;
    thaw_conv2d_options options;
} problem;

/* Odd channel counts, stride, padding, dilation, groups, depthwise, "same" with even kernels. */
static const problem problems[] = {
    { 2, 5, 4, 3, { .filters = 5, .kernel = { 3, 3 } } },
    { 1, 1, 1, 1, { .filters = 1, .kernel = { 1, 1 } } },
    { 3, 9, 8, 17, { .filters = 19, .kernel = { 3, 2 }, .stride = { 2, 1 }, .padding = { 1, 1 } } },
    { 2, 9, 11, 4, { .filters = 6, .kernel = { 3, 3 }, .padding = { 2, 3 }, .dilation = { 2, 3 } } },
    { 2, 6, 6, 8, { .filters = 12, .kernel = { 3, 3 }, .groups = 4, .no_bias = true } },
    { 2, 7, 7, 16, { .filters = 16, .kernel = { 3, 3 }, .groups = 16, .padding = { 1, 1 }, .stride = { 2, 2 } } },
    { 2, 5, 6, 3, { .filters = 4, .kernel = { 4, 2 }, .same = true } },
    { 1, 6, 5, 2, { .filters = 3, .kernel = { 2, 3 }, .dilation = { 3, 1 }, .same = true } },
    { 4, 12, 12, 32, { .filters = 32, .kernel = { 3, 3 } } },
    { 1, 14, 14, 16, { .filters = 32, .kernel = { 1, 1 }, .stride = { 2, 2 } } },
    { 2, 28, 28, 1, { .filters = 32, .kernel = { 3, 3 } } },
};

/* What the loops below need to know. */
typedef struct geometry {
    int64_t stride[2], dilation[2], before[2], output[2], groups, in_group, out_group;
} geometry;

static geometry geometry_of(const problem *p)
{
    const thaw_conv2d_options *o = &p->options;
    const int64_t input[] = { p->height, p->width };
    geometry g = { .groups = o->groups ? o->groups : 1 };
    g.in_group = p->channels / g.groups;
    g.out_group = o->filters / g.groups;
    for (int i = 0; i < 2; i++) {
        g.stride[i] = o->stride[i] ? o->stride[i] : 1;
        g.dilation[i] = o->dilation[i] ? o->dilation[i] : 1;
        const int64_t reach = g.dilation[i] * (o->kernel[i] - 1);
        const int64_t both = o->same ? reach : 2 * o->padding[i];
        g.before[i] = both / 2;
        g.output[i] = (input[i] + both - reach - 1) / g.stride[i] + 1;
    }
    return g;
}

/* Calls `visit` on the indices of each product that the definition adds up: input, weight, output. */
static void for_each_product(const problem *p, void (*visit)(void *sums, size_t x, size_t w, size_t y), void *sums)
{
    const geometry g = geometry_of(p);
    const int64_t filters = p->options.filters, *kernel = p->options.kernel;
    for (int64_t n = 0; n < p->batch; n++)
        for (int64_t position = 0; position < g.output[0] * g.output[1]; position++)
            for (int64_t o = 0; o < filters; o++)
                for (int64_t i = 0; i < g.in_group; i++)
                    for (int64_t k = 0; k < kernel[0] * kernel[1]; k++) {
                        const int64_t row =
                            position / g.output[1] * g.stride[0] - g.before[0] + k / kernel[1] * g.dilation[0];
                        const int64_t column =
                            position % g.output[1] * g.stride[1] - g.before[1] + k % kernel[1] * g.dilation[1];
                        if (row < 0 || row >= p->height || column < 0 || column >= p->width)
                            continue;
                        const int64_t channel = o / g.out_group * g.in_group + i;
                        const int64_t x = ((n * p->height + row) * p->width + column) * p->channels + channel;
                        const int64_t w = (o * g.in_group + i) * kernel[0] * kernel[1] + k;
                        const int64_t y = (n * g.output[0] * g.output[1] + position) * filters + o;
                        visit(sums, (size_t)x, (size_t)w, (size_t)y);
                    }
}

typedef struct sums {
    const layer *l;
    double *output, *input_gradient, *weight_gradient, *bias_gradient;
} sums;

static void add_product(void *argument, size_t x, size_t w, size_t y)
{
    const sums *s = argument;
    const layer *l = s->l;
    s->output[y] += (double)l->inputs[0][x] * (double)l->parameters[0][w];
    if (!l->output_gradient)
        return;
    s->input_gradient[x] += (double)l->output_gradient[y] * (double)l->parameters[0][w];
    s->weight_gradient[w] += (double)l->output_gradient[y] * (double)l->inputs[0][x];
}

static void add_bias(const sums *s, size_t filters, bool relu)
{
    const layer *l = s->l;
    for (size_t y = 0; y < l->output_size; y++) {
        s->output[y] += l->parameter_count > 1 ? (double)l->parameters[1][y % filters] : 0;
        s->output[y] = relu && s->output[y] < 0 ? 0 : s->output[y];
        if (l->output_gradient)
            s->bias_gradient[y % filters] += (double)l->output_gradient[y];
    }
}

static void compare(const float *actual, const double *expected, size_t count, const char *what)
{
    if (!actual)
        return;
    float *rounded = malloc(count * sizeof *rounded);
    for (size_t i = 0; i < count; i++)
        rounded[i] = (float)expected[i];
    assert_close(actual, rounded, count, 2e-5, what);
    free(rounded);
}

static void check(const problem *p, const layer_wish *wish)
{
    thaw_context *context = support_context(2);
    thaw_model *model = layer_model(context, 3, (const int64_t[]){ p->height, p->width, p->channels });
    thaw_node node = 0;
    assert_ok(context, thaw_conv2d(model, node, &p->options, &node));
    layer l = layer_open(model, wish);
    const size_t filters = (size_t)p->options.filters;
    sums s = {
        .l = &l,
        .output = calloc(l.output_size, sizeof(double)),
        .input_gradient = calloc(l.input_size[0], sizeof(double)),
        .weight_gradient = calloc(l.parameter_size[0], sizeof(double)),
        .bias_gradient = calloc(filters, sizeof(double)),
    };
    for_each_product(p, add_product, &s);
    add_bias(&s, filters, wish->activation == THAW_ACTIVATION_RELU);
    layer_forward(&l);
    compare(l.output, s.output, l.output_size, "output");
    if (wish->training)
        layer_backward(&l);
    compare(l.input_gradients[0], s.input_gradient, l.input_size[0], "input gradient");
    compare(l.parameter_gradients[0], s.weight_gradient, l.parameter_size[0], "weight gradient");
    compare(l.parameter_gradients[1], s.bias_gradient, filters, "bias gradient");
    free(s.output);
    free(s.input_gradient);
    free(s.weight_gradient);
    free(s.bias_gradient);
    layer_close(&l, model);
    thaw_context_destroy(context);
}

Test(conv2d, matches_the_definition_in_training)
{
    for (size_t i = 0; i < THAW_COUNT(problems); i++)
        check(&problems[i], &(layer_wish){ .batch = problems[i].batch,
                                           .training = true,
                                           .input_gradients = true,
                                           .parameter_gradient = { true, !problems[i].options.no_bias } });
}

Test(conv2d, matches_the_definition_in_inference)
{
    for (size_t i = 0; i < THAW_COUNT(problems); i++)
        for (int relu = 0; relu < 2; relu++)
            check(&problems[i], &(layer_wish){ .batch = problems[i].batch,
                                               .activation = relu ? THAW_ACTIVATION_RELU : THAW_ACTIVATION_NONE });
}

Test(conv2d, computes_the_gradients_that_are_demanded)
{
    for (int subset = 1; subset < 8; subset++)
        check(&problems[2], &(layer_wish){ .batch = problems[2].batch,
                                           .training = true,
                                           .activation = THAW_ACTIVATION_RELU,
                                           .input_gradients = subset & 1,
                                           .parameter_gradient = { subset & 2, subset & 4 } });
}

Test(conv2d, registers_pytorch_parameters)
{
    thaw_context *context = support_context(1);
    thaw_model *model = layer_model(context, 3, (const int64_t[]){ 8, 9, 6 });
    thaw_node node = 0;
    const thaw_conv2d_options options = { .name = "c", .filters = 4, .kernel = { 3, 2 }, .groups = 2 };
    assert_ok(context, thaw_conv2d(model, node, &options, &node));
    const thaw_shape *weight = thaw_parameter_shape(thaw_model_find_parameter(model, "c.weight"));
    cr_assert(thaw_shape_equal(weight, &(thaw_shape){ 4, { 4, 3, 3, 2 } }));
    cr_assert(thaw_shape_equal(thaw_model_node_shape(model, node), &(thaw_shape){ 3, { 6, 8, 4 } }));
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

static void refuse(thaw_conv2d_options options, thaw_status status, const char *text)
{
    thaw_context *context = support_context(1);
    thaw_model *model = layer_model(context, 3, (const int64_t[]){ 5, 5, 6 });
    thaw_node node;
    assert_fails(context, thaw_conv2d(model, 0, &options, &node), status, text);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(conv2d, refuses_bad_options)
{
    const thaw_status bad = THAW_INVALID_ARGUMENT;
    refuse((thaw_conv2d_options){ .kernel = { 3, 3 } }, bad, "filters is 0");
    refuse((thaw_conv2d_options){ .filters = 2 }, bad, "kernel is [0, 0]");
    refuse((thaw_conv2d_options){ .filters = 2, .kernel = { 3, INT64_MAX } }, bad, "kernel is");
    refuse((thaw_conv2d_options){ .filters = 2, .kernel = { 3, 3 }, .stride = { -1, 1 } }, bad, "stride is [-1, 1]");
    refuse((thaw_conv2d_options){ .filters = 2, .kernel = { 3, 3 }, .padding = { 0, -1 } }, bad, "padding is [0, -1]");
    refuse((thaw_conv2d_options){ .filters = 2, .kernel = { 3, 3 }, .dilation = { -2, 1 } }, bad, "dilation is");
    refuse((thaw_conv2d_options){ .filters = 2, .kernel = { 3, 3 }, .groups = 4 }, bad, "groups is 4");
    refuse((thaw_conv2d_options){ .filters = 2, .kernel = { 3, 3 }, .groups = -1 }, bad, "groups is -1");
    refuse((thaw_conv2d_options){ .filters = 2, .kernel = { 3, 3 }, .same = true, .stride = { 1, 2 } }, bad, "same");
    refuse((thaw_conv2d_options){ .filters = 2, .kernel = { 3, 3 }, .same = true, .padding = { 1, 1 } }, bad, "same");
    refuse((thaw_conv2d_options){ .filters = 2, .kernel = { 6, 3 } }, THAW_SHAPE_MISMATCH, "does not fit");
}

Test(conv2d, refuses_an_input_that_is_no_image)
{
    thaw_context *context = support_context(1);
    thaw_model *model = layer_model(context, 1, (const int64_t[]){ 5 });
    thaw_node node;
    assert_fails(context, thaw_conv2d(model, 0, &(thaw_conv2d_options){ .filters = 1, .kernel = { 1, 1 } }, &node),
                 THAW_SHAPE_MISMATCH, "[5]");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
