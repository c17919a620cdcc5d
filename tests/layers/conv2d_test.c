#include "support/convolution.h"

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

static support_convolution convolution_of(const problem *p)
{
    const thaw_conv2d_options *o = &p->options;
    support_convolution c = { .batch = p->batch,
                              .input = { p->height, p->width },
                              .channels = p->channels,
                              .filters = o->filters,
                              .groups = o->groups ? o->groups : 1 };
    for (int i = 0; i < 2; i++) {
        c.kernel[i] = o->kernel[i];
        c.stride[i] = o->stride[i] ? o->stride[i] : 1;
        c.dilation[i] = o->dilation[i] ? o->dilation[i] : 1;
        const int64_t both = o->same ? c.dilation[i] * (o->kernel[i] - 1) : 2 * o->padding[i];
        c.padding[i] = both / 2;
        c.output[i] = support_convolved(&c, i, both - both / 2);
    }
    return c;
}

static void check(const problem *p, const layer_wish *wish)
{
    thaw_context *context = support_context(2);
    thaw_model *model = layer_model(context, 3, (const int64_t[]){ p->height, p->width, p->channels });
    thaw_node node = 0;
    assert_ok(context, thaw_conv2d(model, node, &p->options, &node));
    layer l = layer_open(model, wish);
    const support_convolution c = convolution_of(p);
    support_check_convolution(&l, &c, false, wish->activation == THAW_ACTIVATION_RELU);
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

Test(conv2d, computes_in_bfloat16)
{
    skip_without_bfloat16();
    for (size_t i = 0; i < THAW_COUNT(problems); i++) {
        const bool bias = !problems[i].options.no_bias;
        check(&problems[i], &(layer_wish){ .batch = problems[i].batch, .bfloat16 = true });
        check(&problems[i],
              &(layer_wish){ .batch = problems[i].batch, .bfloat16 = true, .activation = THAW_ACTIVATION_RELU });
        check(&problems[i], &(layer_wish){ .batch = problems[i].batch,
                                           .bfloat16 = true,
                                           .training = true,
                                           .input_gradients = true,
                                           .parameter_gradient = { true, bias } });
        check(&problems[i], &(layer_wish){ .batch = problems[i].batch,
                                           .bfloat16 = true,
                                           .training = true,
                                           .parameter_gradient = { !bias, bias } });
    }
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
