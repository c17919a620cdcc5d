#include <math.h>

#include "support/elementwise.h"

static double by_default(double x)
{
    return x > 0 ? x : 0.01 * x;
}

static double steep(double x)
{
    return x > 0 ? x : 0.3 * x;
}

static double falling(double x)
{
    return x > 0 ? x : -0.5 * x;
}

static thaw_status append_default(thaw_model *model, thaw_node *output)
{
    return thaw_leaky_relu(model, 0, NULL, output);
}

static thaw_status append_steep(thaw_model *model, thaw_node *output)
{
    return thaw_leaky_relu(model, 0, &(thaw_leaky_relu_options){ .negative_slope = 0.3 }, output);
}

static thaw_status append_falling(thaw_model *model, thaw_node *output)
{
    return thaw_leaky_relu(model, 0, &(thaw_leaky_relu_options){ .negative_slope = -0.5 }, output);
}

Test(leaky_relu, matches_its_function_and_differences)
{
    check_elementwise(
        &(elementwise_case){ .append = append_default, .function = by_default, .in_place = true, .tolerance = 1e-6 });
    check_elementwise(
        &(elementwise_case){ .append = append_steep, .function = steep, .in_place = true, .tolerance = 1e-6 });
}

Test(leaky_relu, keeps_its_input_when_the_output_does_not_tell_its_sign)
{
    check_elementwise(
        &(elementwise_case){ .append = append_falling, .function = falling, .in_place = false, .tolerance = 1e-6 });
}

Test(leaky_relu, refuses_a_slope_that_is_not_finite)
{
    thaw_context *context = support_context(1);
    thaw_model *model = layer_model(context, 1, (const int64_t[]){ 2 });
    thaw_node node;
    assert_fails(context, thaw_leaky_relu(model, 0, &(thaw_leaky_relu_options){ .negative_slope = NAN }, &node),
                 THAW_INVALID_ARGUMENT, "negative_slope");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
