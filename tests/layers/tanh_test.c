#include <math.h>

#include "support/elementwise.h"

static double function(double x)
{
    return tanh(x);
}

static thaw_status append(thaw_model *model, thaw_node *output)
{
    return thaw_tanh(model, 0, NULL, output);
}

Test(tanh, matches_its_function_and_differences)
{
    check_elementwise(
        &(elementwise_case){ .append = append, .function = function, .in_place = true, .tolerance = 1e-6 });
}
