/* Toys with a weight, and the source that has none. */
#include <math.h>

#include "support/toy.h"

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
    return status == THAW_OK ? toy_build(builder, options) : status;
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

static thaw_status prepare_scale(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    needs->keeps_inputs = demand->parameter_gradient[0];
    needs->gradient_in_place = true;
    return toy_prepare(demand, needs);
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

static thaw_status pack_bias(const thaw_layer_run *run)
{
    const toy *self = run->state;
    for (size_t i = 0; i < self->count; i++)
        toy_output(run)[i] = run->parameters[0][0];
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

static thaw_status pack_constant(const thaw_layer_run *run)
{
    const toy *self = run->state;
    for (size_t i = 0; i < self->count; i++)
        toy_output(run)[i] = 0.75F;
    return THAW_OK;
}

static const thaw_layer_capabilities toy_scale_capabilities = {
    .size = sizeof(thaw_layer_capabilities),
    .takes_epilogue = takes_relu,
};

const thaw_layer_module toy_scale = {
    THAW_LAYER_MODULE_HEAD,     .name = "scale",          .capabilities = &toy_scale_capabilities,
    .build = build_scale,       .prepare = prepare_scale, .forward = forward_scale,
    .backward = backward_scale, .release = toy_release,
};

const thaw_layer_module toy_center = {
    THAW_LAYER_MODULE_HEAD,   .name = "center",           .build = build_center,  .prepare = prepare_scale,
    .forward = forward_scale, .backward = backward_scale, .release = toy_release,
};

const thaw_layer_module toy_bias = {
    THAW_LAYER_MODULE_HEAD,    .name = "bias",         .source = true,
    .build = build_bias,       .prepare = toy_prepare, .pack = pack_bias,
    .backward = backward_bias, .release = toy_release,
};

const thaw_layer_module toy_constant = {
    THAW_LAYER_MODULE_HEAD, .name = "constant",    .source = true,         .build = build_constant,
    .prepare = toy_prepare, .pack = pack_constant, .release = toy_release,
};
