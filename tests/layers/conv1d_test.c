#include <stdio.h>
#include <stdlib.h>

#include "support/convolution.h"
#include "support/golden.h"

typedef struct problem {
    const char *name; /* of the golden values; NULL: there are none */
    int64_t batch, length, channels;
    thaw_conv1d_options options;
} problem;

/* Odd channel counts, stride, padding, dilation, groups, depthwise, "same" with an even kernel. */
static const problem problems[] = {
    { "plain", 2, 9, 3, { .filters = 5, .kernel = 3 } },
    { "one", 1, 1, 1, { .filters = 1, .kernel = 1 } },
    { NULL, 3, 23, 17, { .filters = 19, .kernel = 4, .stride = 3, .padding = 2 } },
    { "dilated", 1, 20, 7, { .filters = 6, .kernel = 3, .padding = 4, .dilation = 4 } },
    { "grouped", 2, 11, 6, { .filters = 9, .kernel = 5, .groups = 3, .no_bias = true } },
    { "depthwise", 2, 12, 10, { .filters = 10, .kernel = 3, .padding = 1, .groups = 10 } },
    { "same", 1, 8, 4, { .filters = 3, .kernel = 4, .same = true } },
    { NULL, 4, 32, 32, { .filters = 64, .kernel = 7, .padding = 3 } },
};

static support_convolution convolution_of(const problem *p)
{
    const thaw_conv1d_options *o = &p->options;
    support_convolution c = { .batch = p->batch,
                              .input = { 1, p->length },
                              .channels = p->channels,
                              .output = { 1, 1 },
                              .filters = o->filters,
                              .groups = o->groups ? o->groups : 1,
                              .kernel = { 1, o->kernel },
                              .stride = { 1, o->stride ? o->stride : 1 },
                              .dilation = { 1, o->dilation ? o->dilation : 1 } };
    const int64_t both = o->same ? c.dilation[1] * (o->kernel - 1) : 2 * o->padding;
    c.padding[1] = both / 2;
    c.output[1] = support_convolved(&c, 1, both - both / 2);
    return c;
}

static thaw_model *open_model(thaw_context *context, const problem *p)
{
    thaw_model *model = layer_model(context, 2, (const int64_t[]){ p->length, p->channels });
    thaw_node node = 0;
    assert_ok(context, thaw_conv1d(model, node, &p->options, &node));
    return model;
}

static void check(const problem *p, const layer_wish *wish, int threads)
{
    thaw_context *context = support_context(threads);
    thaw_model *model = open_model(context, p);
    layer l = layer_open(model, wish);
    const support_convolution c = convolution_of(p);
    support_check_convolution(&l, &c, false, wish->activation == THAW_ACTIVATION_RELU);
    layer_close(&l, model);
    thaw_context_destroy(context);
}

Test(conv1d, matches_the_definition)
{
    for (size_t i = 0; i < THAW_COUNT(problems); i++)
        for (unsigned how = 0; how < 16; how++) {
            const bool bias = !problems[i].options.no_bias;
            layer_wish wish = { .batch = problems[i].batch, .training = how & 7, .input_gradients = how & 1 };
            wish.parameter_gradient[0] = how & 2;
            wish.parameter_gradient[1] = how & 4 && bias;
            wish.activation = how & 8 ? THAW_ACTIVATION_RELU : THAW_ACTIVATION_NONE;
            check(&problems[i], &wish, how & 1 ? 2 : 1);
        }
}

Test(conv1d, computes_in_bfloat16)
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

Test(conv1d, equals_pytorch)
{
    FILE *file = golden_open("conv1d.txt");
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

Test(conv1d, registers_pytorch_parameters)
{
    thaw_context *context = support_context(1);
    thaw_model *model = layer_model(context, 2, (const int64_t[]){ 9, 6 });
    thaw_node node = 0;
    const thaw_conv1d_options options = { .name = "c", .filters = 4, .kernel = 3, .groups = 2 };
    assert_ok(context, thaw_conv1d(model, node, &options, &node));
    const thaw_shape *weight = thaw_parameter_shape(thaw_model_find_parameter(model, "c.weight"));
    cr_assert(thaw_shape_equal(weight, &(thaw_shape){ 3, { 4, 3, 3 } }));
    cr_assert(thaw_shape_equal(thaw_model_node_shape(model, node), &(thaw_shape){ 2, { 7, 4 } }));
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

static void refuse(thaw_conv1d_options options, thaw_status status, const char *text)
{
    thaw_context *context = support_context(1);
    thaw_model *model = layer_model(context, 2, (const int64_t[]){ 5, 6 });
    thaw_node node;
    assert_fails(context, thaw_conv1d(model, 0, &options, &node), status, text);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(conv1d, refuses_bad_options)
{
    const thaw_status bad = THAW_INVALID_ARGUMENT;
    refuse((thaw_conv1d_options){ .kernel = 3 }, bad, "filters is 0");
    refuse((thaw_conv1d_options){ .filters = 2 }, bad, "kernel is 0, must be from 1 to");
    refuse((thaw_conv1d_options){ .filters = 2, .kernel = INT64_MAX }, bad, "kernel is");
    refuse((thaw_conv1d_options){ .filters = 2, .kernel = 3, .stride = -1 }, bad, "stride is -1");
    refuse((thaw_conv1d_options){ .filters = 2, .kernel = 3, .padding = -1 }, bad, "padding is -1");
    refuse((thaw_conv1d_options){ .filters = 2, .kernel = 3, .dilation = -2 }, bad, "dilation is -2");
    refuse((thaw_conv1d_options){ .filters = 2, .kernel = 3, .groups = 4 }, bad, "groups is 4");
    refuse((thaw_conv1d_options){ .filters = 2, .kernel = 3, .same = true, .stride = 2 }, bad, "same");
    refuse((thaw_conv1d_options){ .filters = 2, .kernel = 6 }, THAW_SHAPE_MISMATCH, "a kernel of 6 does not fit");
}

Test(conv1d, refuses_an_input_that_is_no_sequence)
{
    thaw_context *context = support_context(1);
    thaw_model *model = layer_model(context, 3, (const int64_t[]){ 5, 4, 3 });
    thaw_node node;
    assert_fails(context, thaw_conv1d(model, 0, &(thaw_conv1d_options){ .filters = 1, .kernel = 1 }, &node),
                 THAW_SHAPE_MISMATCH, "[5, 4, 3]");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* Of few instructions oneDNN's depthwise kernels crash where they add a residual, so that the sum is a kernel of its
   own. */
Test(conv1d, leaves_the_sum_behind_a_depthwise_one_alone_without_avx2)
{
    setenv("ONEDNN_MAX_CPU_ISA", "SSE41", 1); /* oneDNN reads it once: each test is a process */
    thaw_context *context = support_context(1);
    thaw_model *model = layer_model(context, 2, (const int64_t[]){ 12, 10 });
    thaw_node x = 0, convolved, sum;
    const thaw_conv1d_options options = { .filters = 10, .kernel = 3, .padding = 1, .groups = 10 };
    assert_ok(context, thaw_conv1d(model, x, &options, &convolved));
    assert_ok(context, thaw_add(model, convolved, x, NULL, &sum));
    const thaw_plan *plan;
    assert_ok(context, thaw_model_plan(model, &(thaw_plan_options){ .batch = 2, .inference = true }, &plan));
    thaw_plan_entry entry;
    assert_ok(context, thaw_plan_entry_at(plan, thaw_plan_entry_count(plan) - 1, &entry));
    cr_assert_str_eq(entry.kind, "add");
    cr_assert_null(entry.fused_into, "the sum is fused into %s", entry.fused_into);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
