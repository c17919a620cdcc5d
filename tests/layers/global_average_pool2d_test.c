#include <stdlib.h>

#include "support/layer.h"

static layer open_pool(thaw_context *context, thaw_model **model, const int64_t *dims, const layer_wish *wish)
{
    thaw_node node = 0;
    *model = layer_model(context, 3, dims);
    assert_ok(context, thaw_global_average_pool2d(*model, node, NULL, &node));
    cr_assert(thaw_shape_equal(thaw_model_node_shape(*model, node), &(thaw_shape){ 1, { dims[2] } }));
    return layer_open(*model, wish);
}

static void check(size_t batch, size_t height, size_t width, size_t channels)
{
    thaw_context *context = support_context(2);
    thaw_model *model;
    layer l = open_pool(context, &model, (const int64_t[]){ (int64_t)height, (int64_t)width, (int64_t)channels },
                        &(layer_wish){ .batch = (int64_t)batch, .training = true, .input_gradients = true });
    const size_t area = height * width;
    float *output = malloc(l.output_size * sizeof *output), *gradient = malloc(l.input_size[0] * sizeof *gradient);
    for (size_t n = 0; n < batch; n++)
        for (size_t c = 0; c < channels; c++) {
            double sum = 0;
            for (size_t i = 0; i < area; i++) {
                sum += (double)l.inputs[0][(n * area + i) * channels + c];
                gradient[(n * area + i) * channels + c] = l.output_gradient[n * channels + c] / (float)area;
            }
            output[n * channels + c] = (float)(sum / (double)area);
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

Test(global_average_pool2d, matches_the_definition)
{
    check(2, 7, 7, 512);
    check(3, 5, 4, 17);
    check(1, 1, 2, 1);
}

Test(global_average_pool2d, costs_nothing_on_one_position)
{
    thaw_context *context = support_context(1);
    thaw_model *model;
    layer l = open_pool(context, &model, (const int64_t[]){ 1, 1, 8 }, &(layer_wish){ .batch = 1 });
    cr_assert(l.needs.identity);
    layer_close(&l, model);
    thaw_context_destroy(context);
}

Test(global_average_pool2d, refuses_an_input_that_is_no_image)
{
    thaw_context *context = support_context(1);
    thaw_model *model = layer_model(context, 1, (const int64_t[]){ 5 });
    thaw_node node;
    assert_fails(context, thaw_global_average_pool2d(model, 0, NULL, &node), THAW_SHAPE_MISMATCH, "[5]");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
