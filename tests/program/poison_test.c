/* That a build with -Dpoison=true shows a layer that reads, or leaves, what the step has not written. */
#include <math.h>

#include "support/support.h"

enum { COUNT = 4 };

static thaw_status build(thaw_layer_builder *builder, const void *options)
{
    (void)options;
    const thaw_parameter_specification weight = {
        .name = "weight", .role = THAW_WEIGHT, .shape = { 1, { 1 } }, .initializer = THAW_INITIAL_ONE
    };
    const thaw_status status = thaw_builder_parameter(builder, &weight);
    return status == THAW_OK ? thaw_builder_output(builder, thaw_builder_input(builder, 0)) : status;
}

static thaw_status prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    (void)demand;
    needs->workspace_bytes = needs->scratch_bytes = sizeof(float);
    return THAW_OK;
}

/* Two values from where nobody wrote, one never written, and one as it should be. */
static thaw_status read_too_early(const thaw_layer_run *run)
{
    const float *input = run->inputs[0];
    float *output = run->output;
    output[0] = *(const float *)run->scratch;
    output[1] = *(const float *)run->workspace;
    output[3] = input[3];
    return THAW_OK;
}

static thaw_status write_all(const thaw_layer_run *run)
{
    const float *input = run->inputs[0];
    float *output = run->output;
    for (size_t i = 0; i < COUNT; i++)
        output[i] = input[i];
    return THAW_OK;
}

static thaw_status write_nothing(const thaw_layer_run *run)
{
    (void)run;
    return THAW_OK;
}

static thaw_model *create(thaw_context *context, const thaw_layer_module *module)
{
    const thaw_node input = 0;
    thaw_model *model;
    thaw_node x;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ 1, { COUNT } }, &x));
    assert_ok(context, thaw_model_append(model, module, "hasty", &input, 1, NULL, &x));
    assert_ok(context, thaw_mse(model, x, NULL, &x));
    return model;
}

Test(poison, shows_what_forward_reads_too_early)
{
    static const thaw_layer_module module = {
        .size = sizeof(thaw_layer_module),
        .abi = THAW_LAYER_ABI,
        .name = "hasty",
        .build = build,
        .prepare = prepare,
        .forward = read_too_early,
        .backward = write_nothing,
    };
    thaw_context *context = support_context(1);
    thaw_model *model = create(context, &module);
    float inputs[COUNT] = { 1, 2, 3, 4 }, outputs[COUNT] = { 0 };
    const thaw_tensor from = thaw_view_f32(inputs, 2, (const int64_t[]){ 1, COUNT });
    const thaw_tensor into = thaw_view_f32(outputs, 2, (const int64_t[]){ 1, COUNT });
    for (int run = 0; run < 2; run++) {
        assert_ok(context, thaw_predict(model, &from, &into));
        for (int i = 0; i < 3; i++)
            cr_assert(isnan(outputs[i]), "output %d is %g", i, (double)outputs[i]);
        cr_assert_eq(outputs[3], 4);
    }
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(poison, shows_a_gradient_that_backward_does_not_write)
{
    static const thaw_layer_module module = {
        .size = sizeof(thaw_layer_module),
        .abi = THAW_LAYER_ABI,
        .name = "hasty",
        .build = build,
        .prepare = prepare,
        .forward = write_all,
        .backward = write_nothing,
    };
    thaw_context *context = support_context(1);
    thaw_model *model = create(context, &module);
    float values[COUNT] = { 1, 2, 3, 4 };
    const thaw_tensor batch = thaw_view_f32(values, 2, (const int64_t[]){ 1, COUNT });
    assert_ok(context, thaw_step(model, &batch, &batch, &(thaw_step_options){ .gradients_only = true }, NULL));
    const float gradient = *thaw_parameter_gradient(thaw_model_parameter(model, 0));
    cr_assert(isnan(gradient), "the gradient is %g", (double)gradient);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
