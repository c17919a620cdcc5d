/* The logarithm of softmax over the last axis: x - log(sum(exp(x))). */
#include "layers/elementwise.h"
#include "layers/softmax_rows.h"

static thaw_status prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    return thaw_softmax_rows_prepare(demand, needs, true);
}

static const thaw_layer_module module = {
    .name = "log_softmax",
    .options_size = sizeof(thaw_simple_options),
    .build = thaw_softmax_rows_build,
    .prepare = prepare,
    .forward = thaw_softmax_rows_run_forward,
    .backward = thaw_softmax_rows_run_backward,
    .release = thaw_softmax_rows_release,
};

thaw_status thaw_log_softmax(thaw_model *model, thaw_node input, const thaw_simple_options *options, thaw_node *output)
{
    return thaw_elementwise_append(model, &module, input, options, output);
}
