#include "support/parity_network.h"

enum { BATCH = 16, BATCHES = 10, CLASSES = 5, PIXELS = 64 };

thaw_model *support_parity_network(thaw_context *context)
{
    thaw_model *model = NULL;
    thaw_node x;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ .rank = 3, .dims = { 8, 8, 1 } }, &x));
    assert_ok(context,
              thaw_conv2d(model, x, &(thaw_conv2d_options){ .name = "conv1", .filters = 4, .kernel = { 3, 3 } }, &x));
    assert_ok(context, thaw_relu(model, x, NULL, &x));
    assert_ok(context,
              thaw_conv2d(model, x, &(thaw_conv2d_options){ .name = "conv2", .filters = 6, .kernel = { 3, 3 } }, &x));
    assert_ok(context, thaw_relu(model, x, NULL, &x));
    assert_ok(context, thaw_max_pool2d(model, x, &(thaw_pool2d_options){ .kernel = { 2, 2 } }, &x));
    assert_ok(context, thaw_flatten(model, x, NULL, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "dense", .units = CLASSES }, &x));
    assert_ok(context, thaw_softmax_cross_entropy(model, x, NULL, &x));
    for (size_t i = 0; i < thaw_model_parameter_count(model); i++) {
        thaw_parameter *parameter = thaw_model_parameter(model, i);
        const size_t count = thaw_shape_count(thaw_parameter_shape(parameter));
        float *values = thaw_parameter_edit(parameter);
        support_fill(values, count, (uint32_t)i + 1);
        for (size_t k = 0; k < count; k++)
            values[k] *= 0.4F;
    }
    return model;
}

double support_parity_step(thaw_model *model, uint32_t step, double rate_factor)
{
    const uint32_t batch = step % BATCHES;
    float images[BATCH * PIXELS], uniform[BATCH];
    int32_t labels[BATCH];
    support_fill(images, BATCH * PIXELS, 100 + batch);
    support_fill(uniform, BATCH, 200 + batch);
    for (int i = 0; i < BATCH; i++)
        labels[i] = (int32_t)((uniform[i] + 1) * CLASSES / 2);
    const thaw_tensor inputs = thaw_view_f32(images, 4, (int64_t[]){ BATCH, 8, 8, 1 });
    const thaw_tensor targets = thaw_view_i32(labels, 1, (int64_t[]){ BATCH });
    thaw_step_result result;
    const thaw_step_options options = { .rate_factor = rate_factor };
    assert_ok(thaw_model_context(model), thaw_step(model, &inputs, &targets, &options, &result));
    return result.loss;
}
