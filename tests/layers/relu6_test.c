#include <math.h>

#include "support/elementwise.h"

static double function(double x)
{
    return fmin(fmax(x, 0), 6);
}

static thaw_status append(thaw_model *model, thaw_node *output)
{
    return thaw_relu6(model, 0, NULL, output);
}

Test(relu6, matches_its_function_and_differences)
{
    check_elementwise(&(elementwise_case){
        .append = append, .function = function, .kink = { 0, 6 }, .in_place = true, .tolerance = 1e-6 });
}
