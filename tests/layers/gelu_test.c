#include <math.h>

#include "support/elementwise.h"

static double function(double x)
{
    return x * 0.5 * erfc(-x / sqrt(2));
}

static thaw_status append(thaw_model *model, thaw_node *output)
{
    return thaw_gelu(model, 0, NULL, output);
}

static double approximation(double x)
{
    return x * 0.5 * (1 + tanh(sqrt(2 / acos(-1)) * (x + 0.044715 * x * x * x)));
}

static thaw_status append_approximation(thaw_model *model, thaw_node *output)
{
    return thaw_gelu_tanh(model, 0, NULL, output);
}

Test(gelu_tanh, matches_its_function_and_differences)
{
    check_elementwise(&(elementwise_case){
        .append = append_approximation, .function = approximation, .in_place = false, .tolerance = 2e-6 });
}

Test(gelu, matches_its_function_and_differences)
{
    check_elementwise(
        &(elementwise_case){ .append = append, .function = function, .in_place = false, .tolerance = 2e-6 });
}
