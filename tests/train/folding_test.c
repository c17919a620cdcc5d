/* Frozen batch normalisations in the weights of what stands before them: of convolutions and dense layers that train,
   where they are folded anew in each step, and of frozen ones, once. Beside PyTorch in double precision. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "support/golden.h"
#include "support/network.h"

enum { BATCH = 5, HEIGHT = 6, WIDTH = 5, CHANNELS = 3, FILTERS = 4, UNITS = 5, OUTPUTS = 3, STEPS = 6, LARGEST = 108 };

static void fill_parameters(thaw_model *model)
{
    for (size_t i = 0; i < thaw_model_parameter_count(model); i++) {
        thaw_parameter *parameter = thaw_model_parameter(model, i);
        const char *name = thaw_parameter_name(parameter);
        const bool variance = strstr(name, "running_var") != NULL;
        const bool scale = strncmp(name, "norm", 4) == 0 && strstr(name, ".weight") != NULL;
        float *values = thaw_parameter_edit(parameter);
        const size_t count = thaw_shape_count(thaw_parameter_shape(parameter));
        support_fill(values, count, (uint32_t)i + 1);
        for (size_t k = 0; k < count; k++)
            values[k] = variance ? 1 + values[k] / 2 : scale ? 1 + values[k] : values[k];
    }
}

static thaw_model *create(thaw_context *context)
{
    thaw_model *model;
    thaw_node x, y;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ 3, { HEIGHT, WIDTH, CHANNELS } }, &x));
    assert_ok(context, thaw_conv2d(model, x,
                                   &(thaw_conv2d_options){
                                       .name = "conv1", .filters = FILTERS, .kernel = { 3, 3 }, .padding = { 1, 1 } },
                                   &x));
    assert_ok(context, thaw_batch_norm(model, x, &(thaw_batch_norm_options){ .name = "norm1" }, &x));
    assert_ok(context, thaw_relu(model, x, NULL, &x));
    assert_ok(context, thaw_conv2d(model, x,
                                   &(thaw_conv2d_options){ .name = "conv2",
                                                           .filters = FILTERS,
                                                           .kernel = { 3, 3 },
                                                           .padding = { 1, 1 },
                                                           .groups = FILTERS,
                                                           .no_bias = true },
                                   &y));
    assert_ok(context, thaw_batch_norm(model, y, &(thaw_batch_norm_options){ .name = "norm2", .epsilon = 1e-2 }, &y));
    assert_ok(context, thaw_relu6(model, y, NULL, &y));
    assert_ok(context,
              thaw_conv2d(model, y, &(thaw_conv2d_options){ .name = "conv3", .filters = FILTERS, .kernel = { 1, 1 } },
                          &y));
    assert_ok(context, thaw_batch_norm(model, y, &(thaw_batch_norm_options){ .name = "norm3", .no_affine = true }, &y));
    assert_ok(context, thaw_add(model, y, x, NULL, &x));
    assert_ok(context, thaw_relu(model, x, NULL, &x));
    assert_ok(context, thaw_global_average_pool2d(model, x, NULL, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "dense1", .units = UNITS }, &x));
    assert_ok(context, thaw_batch_norm(model, x, &(thaw_batch_norm_options){ .name = "norm4" }, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "dense2", .units = OUTPUTS }, &x));
    assert_ok(context, thaw_mse(model, x, NULL, &x));
    fill_parameters(model);
    return model;
}

/* What floats can do: a rounding is off by 2^-24 of what it rounds at most, and on the way to the last gradient there
   are some 260: sums over 27, 9, 4, 30, 4 and 5 terms forward, over 15, 5, 4, 9 and 150 backward. Independent errors
   add up to the root of that, here allowed four times. They are relative to the terms, which cancel in small elements,
   and so to a tensor's largest element. */
static void assert_rounded(const float *found, const float *expected, size_t count, const char *what)
{
    enum { ROUNDINGS = 64 };
    double largest = 0;
    for (size_t i = 0; i < count; i++)
        largest = fmax(largest, fabs((double)expected[i]));
    for (size_t i = 0; i < count; i++)
        cr_assert_leq(fabs((double)found[i] - (double)expected[i]), ROUNDINGS * 0x1p-24 * largest,
                      "%s[%zu]: %.9g, expected %.9g of at most %.9g", what, i, (double)found[i], (double)expected[i],
                      largest);
}

static void check_outputs(FILE *file, thaw_model *model, const thaw_tensor *images)
{
    float found[BATCH * OUTPUTS] = { 0 }, expected[BATCH * OUTPUTS];
    const thaw_tensor outputs = thaw_view_f32(found, 2, (const int64_t[]){ BATCH, OUTPUTS });
    assert_ok(thaw_model_context(model), thaw_predict(model, images, &outputs));
    golden_read(file, "outputs", expected, BATCH * OUTPUTS);
    assert_rounded(found, expected, BATCH * OUTPUTS, "outputs");
}

static void check_gradients(FILE *file, thaw_model *model, double loss)
{
    float expected[LARGEST];
    const float found = (float)loss;
    golden_read(file, "loss", expected, 1);
    assert_rounded(&found, expected, 1, "the loss");
    for (size_t i = 0; i < thaw_model_parameter_count(model); i++) {
        const thaw_parameter *parameter = thaw_model_parameter(model, i);
        const size_t count = thaw_shape_count(thaw_parameter_shape(parameter));
        if (thaw_parameter_gradient(parameter) == NULL)
            continue;
        golden_read(file, thaw_parameter_name(parameter), expected, count);
        assert_rounded(thaw_parameter_gradient(parameter), expected, count, thaw_parameter_name(parameter));
    }
}

/* That no normalisation and no residual sum has a kernel of its own. */
static void assert_folded(thaw_model *model)
{
    const thaw_plan *plan;
    assert_ok(thaw_model_context(model), thaw_model_plan(model, &(thaw_plan_options){ .batch = BATCH }, &plan));
    for (size_t i = 0; i < thaw_plan_entry_count(plan); i++) {
        thaw_plan_entry entry;
        assert_ok(thaw_model_context(model), thaw_plan_entry_at(plan, i, &entry));
        if (strcmp(entry.kind, "batch_norm") == 0 || strcmp(entry.kind, "add") == 0)
            cr_assert(entry.fused_into != NULL && !entry.forward && !entry.input_gradient, "%s is not folded",
                      entry.name);
    }
}

/* The case `title` of the golden values, where the groups that match `frozen` and all normalisations are frozen. */
static void check(FILE *file, const char *title, const char *frozen)
{
    static float values[BATCH * HEIGHT * WIDTH * CHANNELS], wanted[BATCH * OUTPUTS];
    const thaw_tensor images = thaw_view_f32(values, 4, (const int64_t[]){ BATCH, HEIGHT, WIDTH, CHANNELS });
    const thaw_tensor targets = thaw_view_f32(wanted, 2, (const int64_t[]){ BATCH, OUTPUTS });
    support_fill(values, THAW_COUNT(values), 100);
    support_fill(wanted, THAW_COUNT(wanted), 200);
    thaw_context *context = support_context(2);
    thaw_model *model = create(context);
    support_optimize(model, "sgd:lr=2e-4,momentum=0.9");
    assert_ok(context, thaw_model_freeze(model, frozen));
    assert_folded(model);
    golden_case(file, title);
    check_outputs(file, model, &images);
    for (int step = 0; step < STEPS; step++) {
        thaw_step_result result;
        assert_ok(context, thaw_step(model, &images, &targets, NULL, &result));
        if (step == 0 || step == STEPS - 1)
            check_gradients(file, model, result.loss);
    }
    check_outputs(file, model, &images);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(folding, outputs_and_gradients_are_pytorchs_and_stay_so_when_the_weights_have_moved)
{
    FILE *file = golden_open("folding.txt");
    check(file, "all trainable", "norm*");
    check(file, "two frozen", "norm*|conv1|conv2");
    check(file, "one frozen", "norm*|conv3");
    fclose(file);
}
