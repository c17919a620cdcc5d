#include "support/layer.h"

static layer open_add(thaw_context *context, thaw_model **model, const layer_wish *wish)
{
    thaw_node node = 0;
    *model = layer_model(context, 3, (const int64_t[]){ 5, 3, 11 });
    assert_ok(context, thaw_add(*model, node, node, NULL, &node));
    return layer_open(*model, wish);
}

Test(add, sums_and_hands_its_gradient_to_both)
{
    thaw_context *context = support_context(2);
    thaw_model *model;
    layer l = open_add(context, &model, &(layer_wish){ .batch = 3, .training = true, .input_gradients = true });
    layer_forward(&l);
    layer_backward(&l);
    for (size_t i = 0; i < l.output_size; i++) {
        cr_assert(l.output[i] == l.inputs[0][i] + l.inputs[1][i]);
        cr_assert(l.input_gradients[0][i] == l.output_gradient[i]);
        cr_assert(l.input_gradients[1][i] == l.output_gradient[i]);
    }
    layer_close(&l, model);
    thaw_context_destroy(context);
}

Test(add, runs_in_place)
{
    thaw_context *context = support_context(2);
    thaw_model *model, *other;
    layer separate = open_add(context, &model, &(layer_wish){ .batch = 2 });
    layer_forward(&separate);
    layer l = open_add(context, &other,
                       &(layer_wish){ .batch = 2, .training = true, .in_place = true, .input_gradients = true });
    cr_assert(l.needs.in_place && l.needs.gradient_in_place);
    cr_assert(!l.needs.keeps_inputs && !l.needs.keeps_output);
    layer_forward(&l);
    assert_close(l.inputs[0], separate.output, separate.output_size, 0, "output");
    layer_backward(&l);
    assert_close(l.input_gradients[1], l.output_gradient, l.output_size, 0, "second gradient");
    layer_close(&separate, model);
    layer_close(&l, other);
    thaw_context_destroy(context);
}

Test(add, refuses_two_shapes)
{
    thaw_context *context = support_context(1);
    thaw_model *model = layer_model(context, 1, (const int64_t[]){ 4 });
    thaw_node node;
    assert_ok(context, thaw_dense(model, 0, &(thaw_dense_options){ .units = 3 }, &node));
    assert_fails(context, thaw_add(model, 0, node, NULL, &node), THAW_SHAPE_MISMATCH, "[4] and [3]");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
