/* Corner cases of sliding windows against PyTorch: padding, ceil mode, padding="same". See tests/golden/layers.py. */

#include "support/golden.h"
#include "support/layer.h"

enum { CHANNELS = 3, FILTERS = 2, MOST = 256 };

typedef struct problem {
    int64_t height, width;
    thaw_pool2d_options options;
} problem;

/* In the order of WINDOWS in layers.py. */
static const problem problems[] = {
    { 5, 5, { .kernel = { 2, 2 }, .ceil_mode = true } },
    { 5, 6, { .kernel = { 3, 3 }, .stride = { 2, 2 }, .padding = { 1, 1 } } },
    { 5, 6, { .kernel = { 3, 3 }, .stride = { 2, 2 }, .padding = { 1, 1 }, .ceil_mode = true } },
    { 6, 6, { .kernel = { 3, 2 }, .stride = { 2, 3 }, .padding = { 1, 1 }, .ceil_mode = true } },
    { 4, 4, { .kernel = { 2, 2 }, .stride = { 3, 3 }, .padding = { 1, 1 }, .ceil_mode = true } },
    { 7, 4, { .kernel = { 4, 3 }, .stride = { 3, 2 }, .padding = { 2, 1 }, .ceil_mode = true } },
    { 8, 7, { .kernel = { 3, 2 }, .stride = { 2, 2 }, .padding = { 1, 0 }, .dilation = { 2, 3 }, .ceil_mode = true } },
    { 3, 3, { .kernel = { 3, 3 }, .padding = { 1, 1 }, .ceil_mode = true } },
};

static void compare(FILE *file, thaw_context *context, thaw_model *model)
{
    float shape[2], output[MOST], gradient[MOST];
    layer l = layer_open(model, &(layer_wish){ .training = true, .input_gradients = true });
    const thaw_shape *found = thaw_model_node_shape(model, (thaw_node)thaw_model_node_count(model) - 1);
    golden_read(file, "shape", shape, 2);
    cr_assert((float)found->dims[0] == shape[0] && (float)found->dims[1] == shape[1]);
    golden_read(file, "output", output, l.output_size);
    golden_read(file, "gradient", gradient, l.input_size[0]);
    layer_forward(&l);
    layer_backward(&l);
    assert_close(l.output, output, l.output_size, 1e-6, "output");
    assert_close(l.input_gradients[0], gradient, l.input_size[0], 2e-6, "input gradient");
    layer_close(&l, model);
    thaw_context_destroy(context);
}

static void check_pool(FILE *file, const problem *p,
                       thaw_status (*append)(thaw_model *, thaw_node, const thaw_pool2d_options *, thaw_node *))
{
    thaw_context *context = support_context(2);
    thaw_model *model = layer_model(context, 3, (const int64_t[]){ p->height, p->width, CHANNELS });
    thaw_node node;
    assert_ok(context, append(model, 0, &p->options, &node));
    compare(file, context, model);
}

static void check_same(FILE *file, const int64_t *size, thaw_conv2d_options options)
{
    thaw_context *context = support_context(2);
    thaw_model *model = layer_model(context, 3, (const int64_t[]){ size[0], size[1], CHANNELS });
    thaw_node node;
    options.filters = FILTERS;
    options.same = true;
    golden_case(file, "same");
    assert_ok(context, thaw_conv2d(model, 0, &options, &node));
    compare(file, context, model);
}

Test(windows, equal_pytorch)
{
    FILE *file = golden_open("layers.txt");
    for (size_t i = 0; i < THAW_COUNT(problems); i++) {
        golden_case(file, "max");
        check_pool(file, &problems[i], thaw_max_pool2d);
        for (int inside = 0; inside < 2 && problems[i].options.dilation[0] == 0; inside++) {
            problem average = problems[i];
            average.options.exclude_padding = inside;
            golden_case(file, inside ? "average 1" : "average 0");
            check_pool(file, &average, thaw_average_pool2d);
        }
    }
    check_same(file, (const int64_t[]){ 5, 6 }, (thaw_conv2d_options){ .kernel = { 2, 4 } });
    check_same(file, (const int64_t[]){ 6, 5 }, (thaw_conv2d_options){ .kernel = { 3, 2 }, .dilation = { 1, 3 } });
    check_same(file, (const int64_t[]){ 4, 4 }, (thaw_conv2d_options){ .kernel = { 1, 1 } });
    check_same(file, (const int64_t[]){ 3, 7 }, (thaw_conv2d_options){ .kernel = { 4, 5 }, .dilation = { 2, 1 } });
    cr_assert_eq(fgetc(file), EOF);
    fclose(file);
}
