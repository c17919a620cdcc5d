#include "train/normalised_network.h"

#include <stdio.h>
#include <string.h>

static thaw_node add_block(thaw_model *model, thaw_node x, int index, int64_t filters, bool tracked)
{
    char convolution[8], norm[8];
    snprintf(convolution, sizeof convolution, "conv%d", index);
    snprintf(norm, sizeof norm, "norm%d", index);
    const thaw_conv2d_options options = {
        .name = convolution, .filters = filters, .kernel = { 3, 3 }, .no_bias = true
    };
    thaw_context *context = thaw_model_context(model);
    assert_ok(context, thaw_conv2d(model, x, &options, &x));
    assert_ok(context,
              thaw_batch_norm(model, x, &(thaw_batch_norm_options){ .name = norm, .track_when_frozen = tracked }, &x));
    assert_ok(context, thaw_relu(model, x, NULL, &x));
    return x;
}

static bool is_statistic(const thaw_parameter *parameter)
{
    return strstr(thaw_parameter_name(parameter), "running_") != NULL;
}

static void fill_weights(thaw_model *model)
{
    uint32_t seed = 1;
    for (size_t i = 0; i < thaw_model_parameter_count(model); i++) {
        thaw_parameter *parameter = thaw_model_parameter(model, i);
        if (is_statistic(parameter))
            continue;
        const size_t count = thaw_shape_count(thaw_parameter_shape(parameter));
        float *values = thaw_parameter_edit(parameter);
        support_fill(values, count, seed++);
        for (size_t k = 0; k < count; k++)
            values[k] *= 0.4F;
    }
}

thaw_model *normalised_network(thaw_context *context, bool tracked)
{
    thaw_model *model = NULL;
    thaw_node x;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ .rank = 3, .dims = { 8, 8, 1 } }, &x));
    x = add_block(model, x, 1, 4, tracked);
    x = add_block(model, x, 2, 6, tracked);
    assert_ok(context, thaw_max_pool2d(model, x, &(thaw_pool2d_options){ .kernel = { 2, 2 } }, &x));
    assert_ok(context, thaw_flatten(model, x, NULL, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "dense", .units = NORMALISED_CLASSES }, &x));
    assert_ok(context, thaw_softmax_cross_entropy(model, x, NULL, &x));
    fill_weights(model);
    return model;
}

thaw_status normalised_try_step(thaw_model *model, uint32_t batch, float pixel, const thaw_step_options *options,
                                thaw_step_result *result)
{
    float images[NORMALISED_BATCH * NORMALISED_PIXELS], uniform[NORMALISED_BATCH];
    int32_t labels[NORMALISED_BATCH];
    support_fill(images, NORMALISED_BATCH * NORMALISED_PIXELS, 100 + batch);
    images[0] = pixel == 0 ? images[0] : pixel;
    support_fill(uniform, NORMALISED_BATCH, 200 + batch);
    for (int i = 0; i < NORMALISED_BATCH; i++)
        labels[i] = (int32_t)((uniform[i] + 1) * NORMALISED_CLASSES / 2);
    const thaw_communicator *communicator = options ? options->communicator : NULL;
    const int own = communicator ? communicator->rank : 0, ranks = communicator ? communicator->ranks : 1;
    const int64_t count = NORMALISED_BATCH / ranks;
    const thaw_tensor inputs =
        thaw_view_f32(images + own * count * NORMALISED_PIXELS, 4, (int64_t[]){ count, 8, 8, 1 });
    const thaw_tensor targets = thaw_view_i32(labels + own * count, 1, &count);
    return thaw_step(model, &inputs, &targets, options, result);
}

double normalised_step(thaw_context *context, thaw_model *model, uint32_t batch)
{
    thaw_step_result result;
    assert_ok(context, normalised_try_step(model, batch, 0, NULL, &result));
    return result.loss;
}
