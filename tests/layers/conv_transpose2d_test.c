#include <math.h>

#include "support/convolution.h"
#include "support/golden.h"

typedef struct problem {
    const char *name; /* of the golden values; NULL: there are none */
    int64_t batch, height, width, channels;
    thaw_conv_transpose2d_options options;
} problem;

static const problem problems[] = {
    { "plain", 2, 5, 4, 3, { .filters = 5, .kernel = { 3, 3 } } },
    { "one", 1, 1, 1, 1, { .filters = 1, .kernel = { 1, 1 } } },
    { "doubling", 1, 4, 3, 6, { .filters = 4, .kernel = { 2, 2 }, .stride = { 2, 2 } } },
    { "padded",
      1,
      5,
      3,
      7,
      { .filters = 3, .kernel = { 3, 4 }, .stride = { 2, 3 }, .padding = { 1, 2 }, .output_padding = { 1, 2 } } },
    { "dilated", 1, 4, 5, 2, { .filters = 3, .kernel = { 3, 2 }, .padding = { 1, 0 }, .dilation = { 2, 3 } } },
    { "extended",
      2,
      3,
      4,
      3,
      { .filters = 4, .kernel = { 3, 2 }, .padding = { 2, 1 }, .output_padding = { 2, 1 }, .dilation = { 3, 2 } } },
    { "stretched",
      2,
      3,
      2,
      3,
      { .filters = 4, .kernel = { 3, 2 }, .padding = { 1, 0 }, .output_padding = { 4, 2 }, .dilation = { 5, 3 } } },
    { "stretched wide",
      1,
      2,
      3,
      2,
      { .filters = 3, .kernel = { 2, 2 }, .stride = { 1, 2 }, .output_padding = { 0, 6 }, .dilation = { 1, 7 } } },
    { "grouped", 2, 3, 4, 6, { .filters = 4, .kernel = { 3, 3 }, .stride = { 2, 1 }, .groups = 2, .no_bias = true } },
    { "depthwise",
      1,
      3,
      3,
      5,
      { .filters = 5, .kernel = { 4, 4 }, .stride = { 2, 2 }, .padding = { 1, 1 }, .groups = 5 } },
    { NULL, 3, 9, 8, 17, { .filters = 19, .kernel = { 3, 2 }, .stride = { 2, 1 }, .padding = { 1, 1 } } },
    { NULL, 4, 7, 7, 32, { .filters = 16, .kernel = { 4, 4 }, .stride = { 2, 2 }, .padding = { 1, 1 } } },
    { NULL, 2, 6, 6, 4, { .filters = 3, .kernel = { 2, 2 }, .padding = { 2, 2 } } },
};

static support_convolution convolution_of(const problem *p)
{
    const thaw_conv_transpose2d_options *o = &p->options;
    support_convolution c = { .batch = p->batch,
                              .output = { p->height, p->width },
                              .channels = o->filters,
                              .filters = p->channels,
                              .groups = o->groups ? o->groups : 1 };
    for (int i = 0; i < 2; i++) {
        c.kernel[i] = o->kernel[i];
        c.stride[i] = o->stride[i] ? o->stride[i] : 1;
        c.dilation[i] = o->dilation[i] ? o->dilation[i] : 1;
        c.padding[i] = o->padding[i];
        c.input[i] = (c.output[i] - 1) * c.stride[i] - 2 * o->padding[i] + c.dilation[i] * (o->kernel[i] - 1) +
                     o->output_padding[i] + 1;
    }
    return c;
}

static thaw_model *open_model(thaw_context *context, const problem *p)
{
    thaw_model *model = layer_model(context, 3, (const int64_t[]){ p->height, p->width, p->channels });
    thaw_node node = 0;
    assert_ok(context, thaw_conv_transpose2d(model, node, &p->options, &node));
    return model;
}

static void check(const problem *p, const layer_wish *wish, int threads)
{
    thaw_context *context = support_context(threads);
    thaw_model *model = open_model(context, p);
    layer l = layer_open(model, wish);
    const support_convolution c = convolution_of(p);
    cr_assert_eq(l.output_size, (size_t)(c.batch * c.input[0] * c.input[1] * c.channels));
    cr_assert_eq(l.needs.keeps_inputs, wish->parameter_gradient[0]);
    support_check_convolution(&l, &c, true, wish->activation == THAW_ACTIVATION_RELU);
    layer_close(&l, model);
    thaw_context_destroy(context);
}

Test(conv_transpose2d, matches_the_definition)
{
    for (size_t i = 0; i < THAW_COUNT(problems); i++)
        for (unsigned how = 0; how < 16; how++) {
            layer_wish wish = { .batch = problems[i].batch, .training = how & 7, .input_gradients = how & 1 };
            wish.parameter_gradient[0] = how & 2;
            wish.parameter_gradient[1] = how & 4 && !problems[i].options.no_bias;
            wish.activation = how & 8 ? THAW_ACTIVATION_RELU : THAW_ACTIVATION_NONE;
            check(&problems[i], &wish, how & 1 ? 2 : 1);
        }
}

Test(conv_transpose2d, computes_in_bfloat16)
{
    skip_without_bfloat16();
    for (size_t i = 0; i < THAW_COUNT(problems); i++)
        for (unsigned how = 0; how < 4; how++) {
            layer_wish wish = { .batch = problems[i].batch, .bfloat16 = true, .training = how & 1 };
            wish.input_gradients = wish.parameter_gradient[0] = how & 1;
            wish.parameter_gradient[1] = how & 1 && !problems[i].options.no_bias;
            wish.activation = how & 2 ? THAW_ACTIVATION_RELU : THAW_ACTIVATION_NONE;
            check(&problems[i], &wish, 2);
        }
}

Test(conv_transpose2d, equals_pytorch)
{
    FILE *file = golden_open("conv_transpose2d.txt");
    thaw_context *context = support_context(2);
    for (size_t i = 0; i < THAW_COUNT(problems); i++) {
        const problem *p = &problems[i];
        if (!p->name)
            continue;
        thaw_model *model = open_model(context, p);
        layer l = layer_open(model, &(layer_wish){ .batch = p->batch,
                                                   .training = true,
                                                   .input_gradients = true,
                                                   .parameter_gradient = { true, !p->options.no_bias } });
        layer_equals_golden(&l, file, p->name, 2e-5);
        layer_close(&l, model);
    }
    fclose(file);
    thaw_context_destroy(context);
}

Test(conv_transpose2d, registers_pytorch_parameters)
{
    thaw_context *context = support_context(1);
    thaw_model *model = layer_model(context, 3, (const int64_t[]){ 3, 4, 6 });
    thaw_node node = 0;
    const thaw_conv_transpose2d_options options = { .name = "c", .filters = 8, .kernel = { 3, 2 }, .groups = 2 };
    assert_ok(context, thaw_conv_transpose2d(model, node, &options, &node));
    const thaw_parameter *weight = thaw_model_find_parameter(model, "c.weight");
    cr_assert(thaw_shape_equal(thaw_parameter_shape(weight), &(thaw_shape){ 4, { 6, 4, 3, 2 } }));
    cr_assert(thaw_shape_equal(thaw_model_node_shape(model, node), &(thaw_shape){ 3, { 5, 5, 8 } }));
    float most = 0; /* PyTorch's bound: 1 / sqrt(4 * 3 * 2) */
    for (size_t i = 0; i < 144; i++)
        most = fmaxf(most, fabsf(thaw_parameter_data(weight)[i]));
    cr_assert(most <= 0.2042F && most > 0.19F, "%g", (double)most);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

static void refuse(thaw_conv_transpose2d_options options, thaw_status status, const char *text)
{
    thaw_context *context = support_context(1);
    thaw_model *model = layer_model(context, 3, (const int64_t[]){ 5, 5, 6 });
    thaw_node node;
    assert_fails(context, thaw_conv_transpose2d(model, 0, &options, &node), status, text);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(conv_transpose2d, refuses_bad_options)
{
    const thaw_status bad = THAW_INVALID_ARGUMENT;
    refuse((thaw_conv_transpose2d_options){ .kernel = { 3, 3 } }, bad, "filters is 0");
    refuse((thaw_conv_transpose2d_options){ .filters = 2 }, bad, "kernel is [0, 0]");
    refuse((thaw_conv_transpose2d_options){ .filters = 2, .kernel = { 3, INT64_MAX } }, bad, "kernel is");
    refuse((thaw_conv_transpose2d_options){ .filters = 2, .kernel = { 3, 3 }, .stride = { -1, 1 } }, bad, "stride is");
    refuse((thaw_conv_transpose2d_options){ .filters = 2, .kernel = { 3, 3 }, .padding = { 0, -1 } }, bad, "padding");
    refuse((thaw_conv_transpose2d_options){ .filters = 2, .kernel = { 3, 3 }, .dilation = { -2, 1 } }, bad, "dilation");
    refuse((thaw_conv_transpose2d_options){ .filters = 2, .kernel = { 3, 3 }, .groups = 4 }, bad, "groups is 4");
    refuse((thaw_conv_transpose2d_options){ .filters = 2, .kernel = { 3, 3 }, .output_padding = { 0, 1 } }, bad,
           "output padding is 1, must be less than the stride, 1, or the dilation, 1");
    refuse((thaw_conv_transpose2d_options){ .filters = 2,
                                            .kernel = { 3, 3 },
                                            .stride = { 2, 1 },
                                            .output_padding = { 3, 0 },
                                            .dilation = { 3, 1 } },
           bad, "output padding is 3, must be less than the stride, 2, or the dilation, 3");
    refuse((thaw_conv_transpose2d_options){ .filters = 2, .kernel = { 3, 3 }, .output_padding = { -1, 0 } }, bad,
           "output padding is [-1, 0]");
    refuse((thaw_conv_transpose2d_options){ .filters = 2, .kernel = { 1, 1 }, .padding = { 3, 0 } },
           THAW_SHAPE_MISMATCH, "padding is [3, 0], which leaves no output for an input of shape [5, 5, 6]");
}

Test(conv_transpose2d, refuses_an_input_that_is_no_image)
{
    thaw_context *context = support_context(1);
    thaw_model *model = layer_model(context, 1, (const int64_t[]){ 5 });
    thaw_node node;
    const thaw_conv_transpose2d_options options = { .filters = 1, .kernel = { 1, 1 } };
    assert_fails(context, thaw_conv_transpose2d(model, 0, &options, &node), THAW_SHAPE_MISMATCH, "[5]");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
