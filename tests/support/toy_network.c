#include "support/toy_network.h"

#include <stdlib.h>

thaw_model *toy_model(thaw_context *context, int64_t width)
{
    thaw_model *model = NULL;
    thaw_node input = -1;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ 1, { width } }, &input));
    return model;
}

thaw_node toy_append(thaw_model *model, const thaw_layer_module *module, const char *name, thaw_node first,
                     thaw_node second)
{
    const thaw_node inputs[] = { first, second };
    thaw_node output = -1;
    assert_ok(thaw_model_context(model), thaw_model_append(model, module, name, inputs,
                                                           first < 0    ? 0
                                                           : second < 0 ? 1
                                                                        : 2,
                                                           NULL, &output));
    return output;
}

float toy_value(thaw_model *model, const char *parameter)
{
    const thaw_parameter *found = thaw_model_find_parameter(model, parameter);
    cr_assert_not_null(found, "no parameter %s", parameter);
    return thaw_parameter_data(found)[0];
}

thaw_status toy_step(thaw_model *model, int64_t batch, uint32_t seed, const thaw_step_options *options)
{
    const int64_t dims[] = { batch, thaw_model_node_shape(model, 0)->dims[0] };
    const size_t count = (size_t)(dims[0] * dims[1]);
    float *values = malloc(2 * count * sizeof *values);
    cr_assert_not_null(values);
    support_fill(values, 2 * count, seed);
    const thaw_tensor inputs = thaw_view_f32(values, 2, dims), targets = thaw_view_f32(values + count, 2, dims);
    const thaw_status status = thaw_step(model, &inputs, &targets, options, NULL);
    free(values);
    return status;
}
