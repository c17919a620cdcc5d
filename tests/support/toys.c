#include "support/toys.h"

#include <math.h>

/* What a kernel has to know; from the context's allocator, so that leaks show. */
typedef struct toy {
    size_t count;   /* elements of a batch */
    double batch;   /* samples */
    bool rectifies; /* a ReLU follows inside this kernel */
    bool centers;   /* the second parameter is a mean to subtract */
} toy;

static thaw_status build(thaw_layer_builder *builder, const void *options)
{
    (void)options;
    const thaw_shape *shape = thaw_builder_input(builder, 0);
    for (size_t i = 1; i < thaw_builder_input_count(builder); i++)
        if (!thaw_shape_equal(shape, thaw_builder_input(builder, i)))
            return thaw_builder_fail(builder, THAW_SHAPE_MISMATCH, "its inputs differ in shape");
    thaw_builder_flops(builder, (double)thaw_shape_count(shape));
    return thaw_builder_output(builder, shape);
}

static thaw_status prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    toy *made = thaw_allocate(demand->context, sizeof *made);
    if (!made)
        return THAW_OUT_OF_MEMORY;
    made->batch = (double)demand->batch;
    made->count = (size_t)demand->batch * thaw_shape_count(demand->input_count ? &demand->inputs[0] : &demand->output);
    made->centers = demand->parameter_count > 1;
    made->rectifies = demand->capabilities->epilogue.activation == THAW_ACTIVATION_RELU;
    needs->state = made;
    needs->kernel = "toy";
    return THAW_OK;
}

static bool takes_relu(const thaw_layer_demand *demand)
{
    const thaw_epilogue *epilogue = &demand->capabilities->epilogue;
    return !epilogue->maps_channels && !epilogue->residual && epilogue->activation <= THAW_ACTIVATION_RELU;
}

static thaw_status build_scale(thaw_layer_builder *builder, const void *options)
{
    const thaw_status status =
        thaw_builder_parameter(builder,
                               &(thaw_parameter_specification){
                                   .name = "factor", .role = THAW_WEIGHT, .shape = { 1, { 1 } }, .fan_in = 1 });
    return status == THAW_OK ? build(builder, options) : status;
}

static thaw_status build_center(thaw_layer_builder *builder, const void *options)
{
    const thaw_status status = build_scale(builder, options);
    return status == THAW_OK
               ? thaw_builder_parameter(builder, &(thaw_parameter_specification){ .name = "mean",
                                                                                  .role = THAW_STATISTIC,
                                                                                  .shape = { 1, { 3 } },
                                                                                  .initializer = THAW_INITIAL_ZERO })
               : status;
}

static thaw_status build_constant(thaw_layer_builder *builder, const void *options)
{
    (void)options;
    return thaw_builder_output(builder, &(thaw_shape){ 1, { 4 } });
}

static thaw_status build_bias(thaw_layer_builder *builder, const void *options)
{
    const thaw_status status =
        thaw_builder_parameter(builder, &(thaw_parameter_specification){
                                            .name = "factor", .role = THAW_BIAS, .shape = { 1, { 1 } }, .fan_in = 1 });
    return status == THAW_OK ? build_constant(builder, options) : status;
}

static thaw_status prepare_scale(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    needs->keeps_inputs = demand->parameter_gradient[0];
    needs->gradient_in_place = true;
    return prepare(demand, needs);
}

static thaw_status forward_scale(const thaw_layer_run *run)
{
    const toy *self = run->state;
    const float mean = self->centers ? run->parameters[1][0] : 0;
    for (size_t i = 0; i < self->count; i++) {
        toy_output(run)[i] = run->parameters[0][0] * (toy_input(run, 0)[i] - mean);
        if (self->rectifies)
            toy_output(run)[i] = fmaxf(toy_output(run)[i], 0);
    }
    return THAW_OK;
}

static thaw_status backward_scale(const thaw_layer_run *run)
{
    const toy *self = run->state;
    const float mean = self->centers ? run->parameters[1][0] : 0;
    double sum = 0;
    for (size_t i = 0; run->parameter_gradients[0] && i < self->count; i++)
        sum += (double)toy_output_gradient(run)[i] * (double)(toy_input(run, 0)[i] - mean);
    if (run->parameter_gradients[0])
        run->parameter_gradients[0][0] = (float)sum;
    for (size_t i = 0; run->input_gradients[0] && i < self->count; i++)
        toy_input_gradient(run, 0)[i] = run->parameters[0][0] * toy_output_gradient(run)[i];
    return THAW_OK;
}

static thaw_status pack_bias(const thaw_layer_run *run)
{
    const toy *self = run->state;
    for (size_t i = 0; i < self->count; i++)
        toy_output(run)[i] = run->parameters[0][0];
    return THAW_OK;
}

static thaw_status pack_constant(const thaw_layer_run *run)
{
    const toy *self = run->state;
    for (size_t i = 0; i < self->count; i++)
        toy_output(run)[i] = 0.75F;
    return THAW_OK;
}

static thaw_status backward_bias(const thaw_layer_run *run)
{
    const toy *self = run->state;
    double sum = 0;
    for (size_t i = 0; i < self->count; i++)
        sum += (double)toy_output_gradient(run)[i];
    run->parameter_gradients[0][0] = (float)sum;
    return THAW_OK;
}

static thaw_status prepare_sum(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    needs->in_place = needs->gradient_in_place = true;
    return prepare(demand, needs);
}

static thaw_status forward_sum(const thaw_layer_run *run)
{
    const toy *self = run->state;
    for (size_t i = 0; i < self->count; i++)
        toy_output(run)[i] = toy_input(run, 0)[i] + toy_input(run, 1)[i];
    return THAW_OK;
}

static thaw_status backward_sum(const thaw_layer_run *run)
{
    const toy *self = run->state;
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; run->input_gradients[k] && i < self->count; i++)
            toy_input_gradient(run, k)[i] = toy_output_gradient(run)[i];
    return THAW_OK;
}

static thaw_status prepare_product(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    needs->keeps_inputs = true;
    return prepare(demand, needs);
}

static thaw_status forward_product(const thaw_layer_run *run)
{
    const toy *self = run->state;
    for (size_t i = 0; i < self->count; i++)
        toy_output(run)[i] = toy_input(run, 0)[i] * toy_input(run, 1)[i];
    return THAW_OK;
}

static thaw_status backward_product(const thaw_layer_run *run)
{
    const toy *self = run->state;
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; run->input_gradients[k] && i < self->count; i++)
            toy_input_gradient(run, k)[i] = toy_output_gradient(run)[i] * toy_input(run, 1 - k)[i];
    return THAW_OK;
}

static thaw_status prepare_pass(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    needs->identity = true;
    return prepare(demand, needs);
}

static thaw_status never_run(const thaw_layer_run *run)
{
    return thaw_fail(run->context, THAW_INTERNAL, "an identity was run");
}

static thaw_status prepare_curve(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    needs->in_place = needs->gradient_in_place = needs->keeps_output = true;
    return prepare(demand, needs);
}

static thaw_status forward_curve(const thaw_layer_run *run)
{
    const toy *self = run->state;
    for (size_t i = 0; i < self->count; i++)
        toy_output(run)[i] = tanhf(toy_input(run, 0)[i]);
    return THAW_OK;
}

static thaw_status backward_curve(const thaw_layer_run *run)
{
    const toy *self = run->state;
    for (size_t i = 0; i < self->count; i++)
        toy_input_gradient(run, 0)[i] = toy_output_gradient(run)[i] * (1 - toy_output(run)[i] * toy_output(run)[i]);
    return THAW_OK;
}

static thaw_status forward_relu(const thaw_layer_run *run)
{
    const toy *self = run->state;
    for (size_t i = 0; i < self->count; i++)
        toy_output(run)[i] = fmaxf(toy_input(run, 0)[i], 0);
    return THAW_OK;
}

static thaw_status backward_relu(const thaw_layer_run *run)
{
    const toy *self = run->state;
    for (size_t i = 0; i < self->count; i++)
        toy_input_gradient(run, 0)[i] = toy_output(run)[i] > 0 ? toy_output_gradient(run)[i] : 0;
    return THAW_OK;
}

static thaw_status build_quadratic(thaw_layer_builder *builder, const void *options)
{
    (void)options;
    const thaw_shape *shape = thaw_builder_input(builder, 0);
    const thaw_status status = thaw_builder_target(builder, THAW_F32, shape);
    thaw_builder_flops(builder, (double)thaw_shape_count(shape));
    return status == THAW_OK ? thaw_builder_output(builder, &(thaw_shape){ 0 }) : status;
}

static thaw_status forward_quadratic(const thaw_layer_run *run)
{
    const toy *self = run->state;
    const float *target = run->target;
    double sum = 0;
    for (size_t i = 0; i < self->count; i++)
        sum += pow((double)toy_input(run, 0)[i] - (double)target[i], 2);
    toy_output(run)[0] = (float)(sum / 2 / self->batch);
    return THAW_OK;
}

static thaw_status backward_quadratic(const thaw_layer_run *run)
{
    const toy *self = run->state;
    const float *target = run->target;
    for (size_t i = 0; i < self->count; i++)
        toy_input_gradient(run, 0)[i] = (float)(((double)toy_input(run, 0)[i] - (double)target[i]) / self->batch);
    return THAW_OK;
}

static void release(thaw_context *context, void *state)
{
    thaw_release(context, state);
}

static const thaw_layer_capabilities toy_scale_capabilities = {
    .size = sizeof(thaw_layer_capabilities),
    .takes_epilogue = takes_relu,
};

const thaw_layer_module toy_scale = {
    .size = sizeof(thaw_layer_module),
    .abi = THAW_LAYER_ABI,
    .name = "scale",
    .capabilities = &toy_scale_capabilities,
    .build = build_scale,
    .prepare = prepare_scale,
    .forward = forward_scale,
    .backward = backward_scale,
    .release = release,
};

const thaw_layer_module toy_center = {
    .size = sizeof(thaw_layer_module),
    .abi = THAW_LAYER_ABI,
    .name = "center",
    .build = build_center,
    .prepare = prepare_scale,
    .forward = forward_scale,
    .backward = backward_scale,
    .release = release,
};

const thaw_layer_module toy_bias = {
    .size = sizeof(thaw_layer_module),
    .abi = THAW_LAYER_ABI,
    .name = "bias",
    .source = true,
    .build = build_bias,
    .prepare = prepare,
    .pack = pack_bias,
    .backward = backward_bias,
    .release = release,
};

const thaw_layer_module toy_constant = {
    .size = sizeof(thaw_layer_module),
    .abi = THAW_LAYER_ABI,
    .name = "constant",
    .source = true,
    .build = build_constant,
    .prepare = prepare,
    .pack = pack_constant,
    .release = release,
};

const thaw_layer_module toy_sum = {
    .size = sizeof(thaw_layer_module),
    .abi = THAW_LAYER_ABI,
    .name = "sum",
    .build = build,
    .prepare = prepare_sum,
    .forward = forward_sum,
    .backward = backward_sum,
    .release = release,
};

const thaw_layer_module toy_product = {
    .size = sizeof(thaw_layer_module),
    .abi = THAW_LAYER_ABI,
    .name = "product",
    .build = build,
    .prepare = prepare_product,
    .forward = forward_product,
    .backward = backward_product,
    .release = release,
};

const thaw_layer_module toy_pass = {
    .size = sizeof(thaw_layer_module),
    .abi = THAW_LAYER_ABI,
    .name = "pass",
    .build = build,
    .prepare = prepare_pass,
    .forward = never_run,
    .backward = never_run,
    .release = release,
};

static const thaw_layer_capabilities toy_curve_capabilities = {
    .size = sizeof(thaw_layer_capabilities),
    .activation = THAW_ACTIVATION_TANH,
};

const thaw_layer_module toy_curve = {
    .size = sizeof(thaw_layer_module),
    .abi = THAW_LAYER_ABI,
    .name = "curve",
    .capabilities = &toy_curve_capabilities,
    .build = build,
    .prepare = prepare_curve,
    .forward = forward_curve,
    .backward = backward_curve,
    .release = release,
};

static const thaw_layer_capabilities toy_relu_capabilities = {
    .size = sizeof(thaw_layer_capabilities),
    .activation = THAW_ACTIVATION_RELU,
};

const thaw_layer_module toy_relu = {
    .size = sizeof(thaw_layer_module),
    .abi = THAW_LAYER_ABI,
    .name = "relu",
    .capabilities = &toy_relu_capabilities,
    .build = build,
    .prepare = prepare_curve,
    .forward = forward_relu,
    .backward = backward_relu,
    .release = release,
};

const thaw_layer_module toy_quadratic = {
    .size = sizeof(thaw_layer_module),
    .abi = THAW_LAYER_ABI,
    .name = "quadratic",
    .loss = true,
    .build = build_quadratic,
    .prepare = prepare_product,
    .forward = forward_quadratic,
    .backward = backward_quadratic,
    .release = release,
};
