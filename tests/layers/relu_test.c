
#include "support/elementwise.h"

static double function(double x)
{
    return x > 0 ? x : 0;
}

static thaw_status append(thaw_model *model, thaw_node *output)
{
    return thaw_relu(model, 0, NULL, output);
}

Test(relu, matches_its_function_and_differences)
{
    check_elementwise(
        &(elementwise_case){ .append = append, .function = function, .in_place = true, .tolerance = 1e-6 });
}

/* PyTorch's choice: no gradient at 0. */
Test(relu, has_no_gradient_at_zero)
{
    thaw_context *context = support_context(1);
    thaw_model *model = layer_model(context, 1, (const int64_t[]){ 2 });
    thaw_node node;
    assert_ok(context, append(model, &node));
    layer l = layer_open(model, &(layer_wish){ .training = true, .input_gradients = true });
    l.inputs[0][0] = 0.0F;
    l.inputs[0][1] = -0.0F;
    layer_forward(&l);
    layer_backward(&l);
    assert_close(l.input_gradients[0], (const float[]){ 0, 0 }, 2, 0, "gradient");
    layer_close(&l, model);
    thaw_context_destroy(context);
}
