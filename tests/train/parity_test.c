/* Whole training runs beside PyTorch's: tests/golden/training.py made the losses. */
#include <math.h>

#include "support/golden.h"
#include "support/support.h"

enum { STEPS = 50, BATCH = 16, BATCHES = 10, CLASSES = 5, PIXELS = 64 };

static thaw_model *build_network(thaw_context *context)
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

static double take_step(thaw_context *context, thaw_model *model, uint32_t batch)
{
    float images[BATCH * PIXELS], uniform[BATCH];
    int32_t labels[BATCH];
    support_fill(images, BATCH * PIXELS, 100 + batch);
    support_fill(uniform, BATCH, 200 + batch);
    for (int i = 0; i < BATCH; i++)
        labels[i] = (int32_t)((uniform[i] + 1) * CLASSES / 2);
    const thaw_tensor inputs = thaw_view_f32(images, 4, (int64_t[]){ BATCH, 8, 8, 1 });
    const thaw_tensor targets = thaw_view_i32(labels, 1, (int64_t[]){ BATCH });
    thaw_step_result result;
    assert_ok(context, thaw_step(model, &inputs, &targets, NULL, &result));
    return result.loss;
}

static void compare(const char *run, const char *optimizer_description, const char *frozen)
{
    double expected[STEPS];
    golden_losses("training.txt", run, expected, STEPS);
    thaw_context *context = support_context(2);
    thaw_model *model = build_network(context);
    thaw_optimizer *optimizer = NULL;
    assert_ok(context, thaw_optimizer_create(context, optimizer_description, &optimizer));
    assert_ok(context, thaw_select_optimizer(model, "*", optimizer));
    thaw_optimizer_destroy(optimizer);
    if (frozen != NULL)
        assert_ok(context, thaw_model_freeze(model, frozen));
    for (uint32_t step = 0; step < STEPS; step++) {
        const double loss = take_step(context, model, step % BATCHES);
        cr_assert(fabs(loss - expected[step]) <= 1e-4 * expected[step], "%s, step %u: loss %.9g, PyTorch's %.9g", run,
                  step + 1, loss, expected[step]);
    }
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

static const char sgd[] = "sgd:lr=0.05,momentum=0.9,weight_decay=1e-3";
static const char adam[] = "adam:lr=2e-2";
static const char rmsprop[] = "rmsprop:lr=1e-2";

Test(parity, sgd_with_everything_trainable)
{
    compare("sgd", sgd, NULL);
}

Test(parity, adam_with_everything_trainable)
{
    compare("adam", adam, NULL);
}

Test(parity, rmsprop_with_everything_trainable)
{
    compare("rmsprop", rmsprop, NULL);
}

Test(parity, sgd_with_frozen_convolutions)
{
    compare("sgd frozen", sgd, "conv*");
}

Test(parity, adam_with_frozen_convolutions)
{
    compare("adam frozen", adam, "conv*");
}

Test(parity, rmsprop_with_frozen_convolutions)
{
    compare("rmsprop frozen", rmsprop, "conv*");
}

Test(parity, adam_with_the_first_convolution_frozen)
{
    compare("adam first", adam, "conv1");
}
