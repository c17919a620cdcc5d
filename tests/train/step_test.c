#include <math.h>
#include <string.h>

#include "support/network.h"

enum { BATCH = 6 };

/* What a network that takes [2] and gives one number computes is easy to follow by hand. */
static thaw_model *line(thaw_context *context)
{
    thaw_model *model;
    thaw_node x;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ .rank = 1, .dims = { 2 } }, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "line", .units = 1 }, &x));
    assert_ok(context, thaw_mse(model, x, NULL, &x));
    float *weight = thaw_parameter_edit(thaw_model_find_parameter(model, "line.weight"));
    weight[0] = 1;
    weight[1] = 2;
    *thaw_parameter_edit(thaw_model_find_parameter(model, "line.bias")) = 0.5F;
    return model;
}

static const float line_values[] = { 1, 1, 2, 0 }; /* outputs 3.5 and 2.5 */
static const float line_targets[] = { 3, 3.5F };   /* errors 0.5 and -1 */
static const int64_t line_dims[] = { 2, 2 }, target_dims[] = { 2, 1 };

Test(step, computes_loss_gradient_and_update)
{
    thaw_context *context = support_context(2);
    thaw_model *model = line(context);
    support_optimize(model, "sgd:lr=0.1");
    const thaw_tensor inputs = thaw_view_f32(line_values, 2, line_dims);
    const thaw_tensor targets = thaw_view_f32(line_targets, 2, target_dims);
    thaw_step_result result;
    assert_ok(context, thaw_step(model, &inputs, &targets, NULL, &result));
    cr_assert_float_eq(result.loss, 0.625, 1e-6); /* (0.25 + 1) / 2 */
    cr_assert(isnan(result.gradient_norm) && !result.skipped);
    /* d loss / d output = error; weights: 0.5 * [1, 1] - 1 * [2, 0], bias: -0.5 */
    assert_close(thaw_parameter_gradient(thaw_model_find_parameter(model, "line.weight")), (float[]){ -1.5F, 0.5F }, 2,
                 1e-6, "weight gradient");
    assert_close(thaw_parameter_data(thaw_model_find_parameter(model, "line.weight")), (float[]){ 1.15F, 1.95F }, 2,
                 1e-6, "weight");
    assert_close(thaw_parameter_data(thaw_model_find_parameter(model, "line.bias")), (float[]){ 0.55F }, 1, 1e-6,
                 "bias");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(step, clips_by_global_norm_of_what_trains)
{
    thaw_context *context = support_context(2);
    thaw_model *model = line(context);
    support_optimize(model, "sgd:lr=1");
    const thaw_tensor inputs = thaw_view_f32(line_values, 2, line_dims);
    const thaw_tensor targets = thaw_view_f32(line_targets, 2, target_dims);
    thaw_step_result result;
    assert_ok(context, thaw_model_freeze(model, "line.bias"));
    assert_ok(context, thaw_step(model, &inputs, &targets, &(thaw_step_options){ .clip_norm = 0.5 }, &result));
    const double norm = sqrt(1.5 * 1.5 + 0.5 * 0.5); /* the frozen bias does not count */
    cr_assert_float_eq(result.gradient_norm, norm, 1e-6);
    assert_close(thaw_parameter_data(thaw_model_find_parameter(model, "line.weight")),
                 (float[]){ (float)(1 + 1.5 * 0.5 / norm), (float)(2 - 0.5 * 0.5 / norm) }, 2, 1e-5, "weight");
    cr_assert_eq(*thaw_parameter_data(thaw_model_find_parameter(model, "line.bias")), 0.5F);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* PyTorch's clip_grad_norm_ leaves the clipped gradient in .grad, whether a step follows or not. */
Test(step, shows_the_clipped_gradient)
{
    static const struct {
        thaw_step_options options;
        double share; /* of the gradient's norm, sqrt(2.75), that is left; 0: all of it */
    } cases[] = {
        { { .clip_norm = 0.5 }, 0.5 },     { { .clip_norm = 0.5, .gradients_only = true }, 0.5 },
        { { .clip_norm = 2 }, 0 },         { { .clip_norm = 2, .gradients_only = true }, 0 },
        { { .gradients_only = true }, 0 },
    };
    const double norm = sqrt(1.5 * 1.5 + 0.5 * 0.5 + 0.5 * 0.5);
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        thaw_context *context = support_context(2);
        thaw_model *model = line(context);
        support_optimize(model, "sgd:lr=0.1");
        const thaw_tensor inputs = thaw_view_f32(line_values, 2, line_dims);
        const thaw_tensor targets = thaw_view_f32(line_targets, 2, target_dims);
        thaw_step_result result;
        assert_ok(context, thaw_step(model, &inputs, &targets, &cases[i].options, &result));
        const float factor = cases[i].share > 0 ? (float)(cases[i].share / norm) : 1;
        const float *weight = thaw_parameter_gradient(thaw_model_find_parameter(model, "line.weight"));
        const float *bias = thaw_parameter_gradient(thaw_model_find_parameter(model, "line.bias"));
        assert_close(weight, (float[]){ -1.5F * factor, 0.5F * factor }, 2, 1e-6, "weight gradient");
        assert_close(bias, (float[]){ -0.5F * factor }, 1, 1e-6, "bias gradient");
        cr_assert(cases[i].options.clip_norm == 0 || fabs(result.gradient_norm - norm) < 1e-6, "norm %g",
                  result.gradient_norm);
        thaw_model_destroy(model);
        thaw_context_destroy(context);
    }
}

/* A second head that the loss does not read has no gradient, is not updated and does not decay. */
Test(step, leaves_branches_alone_that_do_not_lead_to_the_loss)
{
    thaw_context *context = support_context(2);
    thaw_model *model;
    thaw_node x, aside;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ .rank = 1, .dims = { 2 } }, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "body", .units = 2 }, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "aside", .units = 3 }, &aside));
    assert_ok(context, thaw_batch_norm(model, aside, &(thaw_batch_norm_options){ .name = "norm" }, &aside));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "head", .units = 1 }, &x));
    assert_ok(context, thaw_mse(model, x, NULL, &x));
    support_optimize(model, "adamw:lr=0.1,weight_decay=0.5");
    static const char *const names[] = { "aside.weight", "aside.bias", "norm.weight", "norm.running_mean" };
    float before[THAW_COUNT(names)][6] = { { 0 } };
    for (size_t i = 0; i < THAW_COUNT(names); i++) {
        const thaw_parameter *p = thaw_model_find_parameter(model, names[i]);
        memcpy(before[i], thaw_parameter_data(p), thaw_shape_count(thaw_parameter_shape(p)) * sizeof(float));
    }
    const thaw_tensor inputs = thaw_view_f32(line_values, 2, line_dims);
    const thaw_tensor targets = thaw_view_f32(line_targets, 2, target_dims);
    for (int step = 0; step < 3; step++)
        assert_ok(context, thaw_step(model, &inputs, &targets, NULL, NULL));
    for (size_t i = 0; i < THAW_COUNT(names); i++) {
        const thaw_parameter *p = thaw_model_find_parameter(model, names[i]);
        const size_t bytes = thaw_shape_count(thaw_parameter_shape(p)) * sizeof(float);
        cr_assert_eq(thaw_parameter_trainable(p), i < 3, "%s", names[i]);
        cr_assert_null(thaw_parameter_gradient(p), "%s has a gradient", names[i]);
        cr_assert_null(thaw_parameter_state(p, "exp_avg"), "%s has state", names[i]);
        cr_assert_eq(thaw_parameter_steps(p), 0, "%s has had steps", names[i]);
        cr_assert_eq(memcmp(before[i], thaw_parameter_data(p), bytes), 0, "%s has changed", names[i]);
    }
    cr_assert_eq(thaw_parameter_steps(thaw_model_find_parameter(model, "body.weight")), 3);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

static void check_untouched(thaw_model *model, const float *weight)
{
    const thaw_parameter *parameter = thaw_model_find_parameter(model, "line.weight");
    cr_assert(memcmp(weight, thaw_parameter_data(parameter), 2 * sizeof(float)) == 0);
    cr_assert_eq(thaw_parameter_steps(parameter), 0);
}

Test(step, refuses_a_loss_that_is_not_finite)
{
    thaw_context *context = support_context(1);
    thaw_model *model = line(context);
    support_optimize(model, "sgd:lr=0.1,momentum=0.9");
    const thaw_tensor inputs = thaw_view_f32((const float[]){ 1e30F, 1, 2, 0 }, 2, line_dims);
    const thaw_tensor targets = thaw_view_f32(line_targets, 2, target_dims);
    assert_fails(context, thaw_step(model, &inputs, &targets, NULL, NULL), THAW_NOT_FINITE, "learning rate");
    check_untouched(model, (const float[]){ 1, 2 });
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* The error is 1e18 and its square finite; times the input of 1e30 it is not. */
Test(step, skips_an_update_whose_gradient_is_not_finite)
{
    thaw_context *context = support_context(1);
    thaw_model *model = line(context);
    support_optimize(model, "sgd:lr=0.1,momentum=0.9");
    const float weight[] = { 1e-12F, 0 };
    memcpy(thaw_parameter_edit(thaw_model_find_parameter(model, "line.weight")), weight, sizeof weight);
    const thaw_tensor inputs = thaw_view_f32((const float[]){ 1e30F, 0, 0, 0 }, 2, line_dims);
    const thaw_tensor targets = thaw_view_f32(line_targets, 2, target_dims);
    const thaw_step_options options[] = { { .clip_norm = 1 }, { .clip_norm = 0 }, { .gradients_only = true } };
    for (size_t i = 0; i < THAW_COUNT(options); i++) {
        thaw_step_result result;
        assert_ok(context, thaw_step(model, &inputs, &targets, &options[i], &result));
        cr_assert(isfinite(result.loss) && !isfinite(result.gradient_norm) && result.skipped, "options %zu", i);
        check_untouched(model, weight);
    }
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* A weight that has more elements than a batch has inputs and outputs: these tell that its gradient is finite, or else
   it is read. The first row's errors are zero, except `error` of its first output. */
static thaw_step_result step_of_square(float input, float error)
{
    enum { WIDTH = 8 };
    const int64_t dims[] = { 2, WIDTH };
    const float values[2 * WIDTH] = { [0] = input, [WIDTH] = 1 }, expected[2 * WIDTH] = { -error, [WIDTH] = 1e12F };
    const float zeros[WIDTH * WIDTH] = { 0 };
    thaw_context *context = support_context(1);
    thaw_model *model;
    thaw_node x;
    thaw_step_result result;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ .rank = 1, .dims = { WIDTH } }, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "square", .units = WIDTH }, &x));
    assert_ok(context, thaw_mse(model, x, NULL, &x));
    support_optimize(model, "sgd:lr=1e-12");
    thaw_parameter *weight = thaw_model_find_parameter(model, "square.weight");
    memcpy(thaw_parameter_edit(weight), zeros, sizeof zeros);
    const thaw_tensor inputs = thaw_view_f32(values, 2, dims), targets = thaw_view_f32(expected, 2, dims);
    assert_ok(context, thaw_step(model, &inputs, &targets, NULL, &result));
    cr_assert_eq(thaw_parameter_steps(weight), !result.skipped);
    cr_assert_eq(memcmp(thaw_parameter_data(weight), zeros, sizeof zeros) == 0, result.skipped);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
    return result;
}

Test(step, reads_gradients_that_inputs_do_not_bound)
{
    cr_assert_not(step_of_square(1, 1).skipped);
    cr_assert_not(step_of_square(1e30F, 0).skipped, "large inputs meet no errors");
    cr_assert(step_of_square(1e30F, 1e12F).skipped);
}

Test(step, refuses_what_does_not_fit)
{
    thaw_context *context = support_context(1);
    thaw_model *model = support_network(context, false);
    static float values[BATCH * NETWORK_SAMPLE];
    int32_t labels[BATCH] = { 0, 1, 2, 3, 0, 1 };
    const int64_t batch = BATCH, fewer = BATCH - 1, none = 0;
    const thaw_tensor inputs = thaw_view_f32(values, 4, (const int64_t[]){ BATCH, 9, 7, 2 });
    const thaw_tensor targets = thaw_view_i32(labels, 1, &batch), short_targets = thaw_view_i32(labels, 1, &fewer);
    const thaw_tensor flat = thaw_view_f32(values, 2, (const int64_t[]){ BATCH, NETWORK_SAMPLE });
    const thaw_tensor empty = thaw_view_f32(values, 4, (const int64_t[]){ 0, 9, 7, 2 });
    const thaw_tensor nothing = thaw_view_i32(labels, 1, &none), floats = thaw_view_f32(values, 1, &batch);
    assert_fails(context, thaw_step(model, &inputs, &targets, NULL, NULL), THAW_INVALID_ARGUMENT, "no optimizer");
    cr_assert_eq(thaw_parameter_steps(thaw_model_parameter(model, 0)), 0);
    support_optimize(model, "sgd");
    assert_ok(context, thaw_step(model, &inputs, &targets, NULL, NULL));
    assert_fails(context, thaw_step(model, &flat, &targets, NULL, NULL), THAW_SHAPE_MISMATCH, "[9, 7, 2]");
    assert_fails(context, thaw_step(model, &empty, &nothing, NULL, NULL), THAW_SHAPE_MISMATCH, "[0, 9, 7, 2]");
    assert_fails(context, thaw_step(model, &inputs, &short_targets, NULL, NULL), THAW_SHAPE_MISMATCH, "5 targets");
    assert_fails(context, thaw_step(model, &inputs, &floats, NULL, NULL), THAW_INVALID_ARGUMENT, "labels");
    assert_fails(context, thaw_step(model, &inputs, &targets, &(thaw_step_options){ .clip_norm = NAN }, NULL),
                 THAW_INVALID_ARGUMENT, "clip norm");
    assert_fails(context, thaw_step(model, &inputs, &targets, &(thaw_step_options){ .rate_factor = -1 }, NULL),
                 THAW_INVALID_ARGUMENT, "rate factor");
    labels[3] = NETWORK_CLASSES;
    assert_fails(context, thaw_step(model, &inputs, &targets, NULL, NULL), THAW_INVALID_ARGUMENT, "4");
    labels[3] = -1;
    assert_fails(context, thaw_step(model, &inputs, &targets, NULL, NULL), THAW_INVALID_ARGUMENT, "-1");
    cr_assert_eq(thaw_parameter_steps(thaw_model_parameter(model, 0)), 1, "a refused step counted");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(step, predicts_without_dropout_and_whatever_the_batch)
{
    thaw_context *context = support_context(2);
    thaw_model *model = support_network(context, true);
    static float values[BATCH * NETWORK_SAMPLE];
    support_fill(values, BATCH * NETWORK_SAMPLE, 4);
    float together[BATCH * NETWORK_CLASSES], alone[NETWORK_CLASSES];
    const thaw_tensor inputs = thaw_view_f32(values, 4, (const int64_t[]){ BATCH, 9, 7, 2 });
    const thaw_tensor outputs = thaw_view_f32(together, 2, (const int64_t[]){ BATCH, NETWORK_CLASSES });
    assert_ok(context, thaw_predict(model, &inputs, &outputs));
    for (size_t i = 0; i < BATCH; i++) {
        const thaw_tensor one = thaw_view_f32(values + i * NETWORK_SAMPLE, 4, (const int64_t[]){ 1, 9, 7, 2 });
        const thaw_tensor row = thaw_view_f32(alone, 2, (const int64_t[]){ 1, NETWORK_CLASSES });
        assert_ok(context, thaw_predict(model, &one, &row));
        assert_close(alone, together + i * NETWORK_CLASSES, NETWORK_CLASSES, 1e-5, "logits");
    }
    const thaw_tensor wrong = thaw_view_f32(together, 2, (const int64_t[]){ BATCH, NETWORK_CLASSES + 1 });
    assert_fails(context, thaw_predict(model, &inputs, &wrong), THAW_SHAPE_MISMATCH, "[4]");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* A weight that the user writes is seen by the next call, also where kernels keep copies. */
Test(step, sees_edited_weights)
{
    thaw_context *context = support_context(1);
    thaw_model *model = line(context);
    float output[2];
    const thaw_tensor inputs = thaw_view_f32(line_values, 2, line_dims);
    const thaw_tensor outputs = thaw_view_f32(output, 2, target_dims);
    assert_ok(context, thaw_predict(model, &inputs, &outputs));
    assert_close(output, (float[]){ 3.5F, 2.5F }, 2, 1e-6, "output");
    thaw_parameter_edit(thaw_model_find_parameter(model, "line.weight"))[0] = -1;
    assert_ok(context, thaw_predict(model, &inputs, &outputs));
    assert_close(output, (float[]){ 1.5F, -1.5F }, 2, 1e-6, "output");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
