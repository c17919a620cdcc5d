#include <math.h>

#include "support/elementwise.h"

static double function(double x)
{
    return x / (1 + exp(-x));
}

static thaw_status append(thaw_model *model, thaw_node *output)
{
    return thaw_silu(model, 0, NULL, output);
}

Test(silu, matches_its_function_and_differences)
{
    check_elementwise(
        &(elementwise_case){ .append = append, .function = function, .in_place = false, .tolerance = 2e-6 });
}
