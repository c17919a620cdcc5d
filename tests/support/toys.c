/* Toys without weights. */
#include "support/toys.h"

#include <math.h>

#include "support/toy.h"

static thaw_status prepare_sum(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    needs->in_place = needs->gradient_in_place = true;
    return toy_prepare(demand, needs);
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
    return toy_prepare(demand, needs);
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
    return toy_prepare(demand, needs);
}

static thaw_status never_run(const thaw_layer_run *run)
{
    return thaw_fail(run->context, THAW_INTERNAL, "an identity was run");
}

static thaw_status prepare_curve(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    needs->in_place = needs->gradient_in_place = needs->keeps_output = true;
    return toy_prepare(demand, needs);
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

const thaw_layer_module toy_sum = {
    THAW_LAYER_MODULE_HEAD, .name = "sum",          .build = toy_build,
    .prepare = prepare_sum, .forward = forward_sum, .backward = backward_sum,
    .release = toy_release,
};

const thaw_layer_module toy_product = {
    THAW_LAYER_MODULE_HEAD,     .name = "product",          .build = toy_build,
    .prepare = prepare_product, .forward = forward_product, .backward = backward_product,
    .release = toy_release,
};

const thaw_layer_module toy_pass = {
    THAW_LAYER_MODULE_HEAD, .name = "pass",        .build = toy_build,     .prepare = prepare_pass,
    .forward = never_run,   .backward = never_run, .release = toy_release,
};

static const thaw_layer_capabilities toy_curve_capabilities = {
    .size = sizeof(thaw_layer_capabilities),
    .activation = THAW_ACTIVATION_TANH,
};

const thaw_layer_module toy_curve = {
    THAW_LAYER_MODULE_HEAD,     .name = "curve",          .capabilities = &toy_curve_capabilities,
    .build = toy_build,         .prepare = prepare_curve, .forward = forward_curve,
    .backward = backward_curve, .release = toy_release,
};

static const thaw_layer_capabilities toy_relu_capabilities = {
    .size = sizeof(thaw_layer_capabilities),
    .activation = THAW_ACTIVATION_RELU,
};

const thaw_layer_module toy_relu = {
    THAW_LAYER_MODULE_HEAD,    .name = "relu",           .capabilities = &toy_relu_capabilities,
    .build = toy_build,        .prepare = prepare_curve, .forward = forward_relu,
    .backward = backward_relu, .release = toy_release,
};

const thaw_layer_module toy_quadratic = {
    THAW_LAYER_MODULE_HEAD,         .name = "quadratic",        .loss = true,
    .build = build_quadratic,       .prepare = prepare_product, .forward = forward_quadratic,
    .backward = backward_quadratic, .release = toy_release,
};
