/* Gradients of a small network of images beside finite differences: transposed convolutions, a depthwise one, and group
   and layer normalisation, which write over the gradient that they read. */
#include <math.h>

#include "support/support.h"

enum { BATCH = 2, SIDE = 3, CHANNELS = 3, OUTPUTS = 2, MOST = BATCH * 8 * 8 * OUTPUTS };

static thaw_model *build(thaw_context *context)
{
    const thaw_conv_transpose2d_options doubling = {
        .filters = 4, .kernel = { 3, 3 }, .stride = { 2, 2 }, .padding = { 1, 1 }, .output_padding = { 1, 1 }
    };
    const thaw_conv2d_options depthwise = { .filters = 4, .kernel = { 3, 3 }, .groups = 4, .same = true };
    const thaw_conv_transpose2d_options last = { .filters = OUTPUTS, .kernel = { 3, 3 }, .groups = 2 };
    thaw_model *model;
    thaw_node x, beside;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ 3, { SIDE, SIDE, CHANNELS } }, &x));
    assert_ok(context, thaw_conv_transpose2d(model, x, &doubling, &x));
    assert_ok(context, thaw_group_norm(model, x, &(thaw_group_norm_options){ .groups = 2 }, &x));
    assert_ok(context, thaw_tanh(model, x, NULL, &x));
    assert_ok(context, thaw_conv2d(model, x, &depthwise, &beside));
    assert_ok(context, thaw_add(model, beside, x, NULL, &x));
    assert_ok(context, thaw_layer_norm(model, x, &(thaw_layer_norm_options){ .dimensions = 3 }, &x));
    assert_ok(context, thaw_conv_transpose2d(model, x, &last, &x));
    assert_ok(context, thaw_mse(model, x, NULL, &x));
    return model;
}

static double loss_of(thaw_model *model)
{
    float values[BATCH * SIDE * SIDE * CHANNELS], wanted[MOST];
    support_fill(values, THAW_COUNT(values), 1);
    support_fill(wanted, MOST, 2);
    const thaw_tensor inputs = thaw_view_f32(values, 4, (int64_t[]){ BATCH, SIDE, SIDE, CHANNELS });
    const thaw_tensor targets = thaw_view_f32(wanted, 4, (int64_t[]){ BATCH, 8, 8, OUTPUTS });
    thaw_step_result result;
    assert_ok(thaw_model_context(model),
              thaw_step(model, &inputs, &targets, &(thaw_step_options){ .gradients_only = true }, &result));
    return result.loss;
}

static void check(thaw_model *model, thaw_parameter *parameter, size_t index)
{
    const float distance = 0x1p-9F, kept = thaw_parameter_data(parameter)[index];
    thaw_parameter_edit(parameter)[index] = kept + distance;
    const double above = loss_of(model);
    thaw_parameter_edit(parameter)[index] = kept - distance;
    const double slope = (above - loss_of(model)) / 2 / (double)distance;
    thaw_parameter_edit(parameter)[index] = kept;
    loss_of(model);
    const double found = (double)thaw_parameter_gradient(parameter)[index];
    cr_assert(fabs(found - slope) <= 3e-4 * fmax(1, fabs(slope)), "%s[%zu]: %g, slope %g",
              thaw_parameter_name(parameter), index, found, slope);
}

/* Of what trains, with everything trainable and with each layer frozen in turn. */
Test(slopes, match_finite_differences_whatever_is_frozen)
{
    thaw_context *context = support_context(2);
    thaw_model *model = build(context);
    const size_t groups = thaw_model_group_count(model);
    for (size_t frozen = 0; frozen <= groups; frozen++) {
        assert_ok(context, thaw_model_unfreeze(model, "*"));
        if (frozen < groups)
            assert_ok(context, thaw_model_freeze(model, thaw_group_name(thaw_model_group(model, frozen))));
        for (size_t i = 0; i < thaw_model_parameter_count(model); i++) {
            thaw_parameter *parameter = thaw_model_parameter(model, i);
            if (!thaw_parameter_trainable(parameter))
                continue;
            const size_t count = thaw_shape_count(thaw_parameter_shape(parameter));
            for (size_t k = 0; k < count; k += 1 + count / 30)
                check(model, parameter, k);
        }
    }
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
