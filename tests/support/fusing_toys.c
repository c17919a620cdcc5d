#include "support/fusing_toys.h"

#include <math.h>
#include <string.h>

#include "support/toys.h"

typedef struct toy {
    size_t count, width; /* elements of a batch, and of a sample */
    thaw_epilogue epilogue;
    bool folded;
} toy;

static thaw_status build(thaw_layer_builder *builder, const void *options)
{
    (void)options;
    const thaw_shape *shape = thaw_builder_input(builder, 0);
    thaw_builder_flops(builder, (double)thaw_shape_count(shape));
    return thaw_builder_output(builder, shape);
}

static thaw_status build_factor(thaw_layer_builder *builder, const void *options)
{
    const thaw_status status =
        thaw_builder_parameter(builder,
                               &(thaw_parameter_specification){
                                   .name = "factor", .role = THAW_WEIGHT, .shape = { 1, { 1 } }, .fan_in = 1 });
    return status == THAW_OK ? build(builder, options) : status;
}

static thaw_status prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    toy *made = thaw_allocate(demand->context, sizeof *made);
    if (!made)
        return THAW_OUT_OF_MEMORY;
    made->width = thaw_shape_count(&demand->output);
    made->count = (size_t)demand->batch * made->width;
    made->epilogue = demand->capabilities->epilogue;
    made->folded = demand->capabilities->folded;
    needs->packed_bytes = demand->capabilities->folded ? 2 * made->width * sizeof(float) : 0;
    needs->keeps_inputs = demand->parameter_count > 0 && demand->parameter_gradient[0];
    needs->state = made;
    needs->kernel = "toy";
    return THAW_OK;
}

static void release(thaw_context *context, void *state)
{
    thaw_release(context, state);
}

static thaw_status copy_gradient(const thaw_layer_run *run, size_t k)
{
    const toy *self = run->state;
    if (run->input_gradients[k] && run->input_gradients[k] != run->output_gradient)
        memcpy(run->input_gradients[k], run->output_gradient, self->count * sizeof(float));
    return THAW_OK;
}

/* ---- linear, whole ---- */

static bool takes_all(const thaw_layer_demand *demand)
{
    return demand->capabilities->epilogue.activation == THAW_ACTIVATION_NONE ||
           demand->capabilities->epilogue.activation == THAW_ACTIVATION_RELU ||
           demand->capabilities->epilogue.activation == THAW_ACTIVATION_TANH;
}

static bool takes_all_but_maps(const thaw_layer_demand *demand)
{
    return takes_all(demand) && !demand->capabilities->epilogue.maps_channels;
}

static float activate(thaw_activation activation, float value)
{
    if (activation == THAW_ACTIVATION_TANH)
        return tanhf(value);
    return activation == THAW_ACTIVATION_RELU ? fmaxf(value, 0) : value;
}

static float slope_of(thaw_activation activation, float output)
{
    if (activation == THAW_ACTIVATION_TANH)
        return 1 - output * output;
    return activation == THAW_ACTIVATION_RELU && output <= 0 ? 0 : 1;
}

static thaw_status forward_linear(const thaw_layer_run *run)
{
    const toy *self = run->state;
    const thaw_epilogue *epilogue = &self->epilogue;
    for (size_t i = 0; i < self->count; i++) {
        float value = run->parameters[0][0] * toy_input(run, 0)[i];
        if (epilogue->maps_channels)
            value = run->capabilities->channel_scale[i % self->width] * value +
                    run->capabilities->channel_shift[i % self->width];
        if (epilogue->residual == THAW_RESIDUAL_IN_PLACE && run->inputs[1] != run->output)
            return thaw_fail(run->context, THAW_INTERNAL, "the residual is not in place");
        if (epilogue->residual)
            value += toy_input(run, 1)[i];
        toy_output(run)[i] = activate(epilogue->activation, value);
    }
    return THAW_OK;
}

static thaw_status backward_linear(const thaw_layer_run *run)
{
    const toy *self = run->state;
    double sum = 0;
    for (size_t i = 0; i < self->count; i++) {
        const float scale = self->epilogue.maps_channels ? run->capabilities->channel_scale[i % self->width] : 1;
        const float slope = toy_output_gradient(run)[i] * scale;
        sum += run->parameter_gradients[0] ? (double)slope * (double)toy_input(run, 0)[i] : 0;
        if (run->input_gradients[0])
            toy_input_gradient(run, 0)[i] = run->parameters[0][0] * slope;
    }
    if (run->parameter_gradients[0])
        run->parameter_gradients[0][0] = (float)sum;
    return self->epilogue.residual ? copy_gradient(run, 1) : THAW_OK;
}

static thaw_status prepare_whole(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    needs->gradient_in_place = true;
    needs->keeps_output = demand->training && demand->capabilities->epilogue.activation != THAW_ACTIVATION_NONE;
    return prepare(demand, needs);
}

static thaw_status backward_whole(const thaw_layer_run *run)
{
    const toy *self = run->state;
    double sum = 0;
    for (size_t i = 0; i < self->count; i++) {
        float slope = toy_output_gradient(run)[i];
        if (self->epilogue.activation != THAW_ACTIVATION_NONE)
            slope *= slope_of(self->epilogue.activation, toy_output(run)[i]);
        if (self->epilogue.residual && run->input_gradients[1])
            toy_input_gradient(run, 1)[i] = slope;
        sum += run->parameter_gradients[0] ? (double)slope * (double)toy_input(run, 0)[i] : 0;
        if (run->input_gradients[0])
            toy_input_gradient(run, 0)[i] = run->parameters[0][0] * slope;
    }
    if (run->parameter_gradients[0])
        run->parameter_gradients[0][0] = (float)sum;
    return THAW_OK;
}

/* ---- map ---- */

static thaw_status pack_map(const thaw_layer_run *run)
{
    const toy *self = run->state;
    float *packed = run->packed;
    for (size_t c = 0; c < 2 * self->width; c++)
        packed[c] = run->parameters[0][0];
    return THAW_OK;
}

static thaw_status forward_map(const thaw_layer_run *run)
{
    const toy *self = run->state;
    if (self->folded)
        return thaw_fail(run->context, THAW_INTERNAL, "a folded map was run");
    for (size_t i = 0; i < self->count; i++)
        toy_output(run)[i] = run->parameters[0][0] * (toy_input(run, 0)[i] + 1);
    return THAW_OK;
}

static thaw_status backward_map(const thaw_layer_run *run)
{
    const toy *self = run->state;
    double sum = 0;
    for (size_t i = 0; i < self->count; i++) {
        sum +=
            run->parameter_gradients[0] ? (double)toy_output_gradient(run)[i] * (double)(toy_input(run, 0)[i] + 1) : 0;
        if (run->input_gradients[0])
            toy_input_gradient(run, 0)[i] = run->parameters[0][0] * toy_output_gradient(run)[i];
    }
    if (run->parameter_gradients[0])
        run->parameter_gradients[0][0] = (float)sum;
    return THAW_OK;
}

/* ---- join ---- */

static thaw_status prepare_join(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    needs->in_place = needs->gradient_in_place = true;
    return prepare(demand, needs);
}

static thaw_status forward_join(const thaw_layer_run *run)
{
    const toy *self = run->state;
    for (size_t i = 0; i < self->count; i++)
        toy_output(run)[i] = toy_input(run, 0)[i] + toy_input(run, 1)[i];
    return THAW_OK;
}

static thaw_status backward_join(const thaw_layer_run *run)
{
    const thaw_status status = copy_gradient(run, 1);
    return status == THAW_OK ? copy_gradient(run, 0) : status;
}

static const thaw_layer_capabilities toy_linear_capabilities = {
    .size = sizeof(thaw_layer_capabilities),
    .takes_epilogue = takes_all,
};

const thaw_layer_module toy_linear = {
    .size = sizeof(thaw_layer_module),
    .abi = THAW_LAYER_ABI,
    .name = "linear",
    .capabilities = &toy_linear_capabilities,
    .build = build_factor,
    .prepare = prepare,
    .forward = forward_linear,
    .backward = backward_linear,
    .release = release,
};

static const thaw_layer_capabilities toy_whole_capabilities = {
    .size = sizeof(thaw_layer_capabilities),
    .takes_epilogue = takes_all_but_maps,
    .differentiates_activation = true,
};

const thaw_layer_module toy_whole = {
    .size = sizeof(thaw_layer_module),
    .abi = THAW_LAYER_ABI,
    .name = "whole",
    .capabilities = &toy_whole_capabilities,
    .build = build_factor,
    .prepare = prepare_whole,
    .forward = forward_linear,
    .backward = backward_whole,
    .release = release,
};

static const thaw_layer_capabilities toy_map_capabilities = {
    .size = sizeof(thaw_layer_capabilities),
    .maps_channels = true,
};

const thaw_layer_module toy_map = {
    .size = sizeof(thaw_layer_module),
    .abi = THAW_LAYER_ABI,
    .name = "map",
    .capabilities = &toy_map_capabilities,
    .build = build_factor,
    .prepare = prepare,
    .pack = pack_map,
    .forward = forward_map,
    .backward = backward_map,
    .release = release,
};

static const thaw_layer_capabilities toy_join_capabilities = {
    .size = sizeof(thaw_layer_capabilities),
    .adds = true,
};

const thaw_layer_module toy_join = {
    .size = sizeof(thaw_layer_module),
    .abi = THAW_LAYER_ABI,
    .name = "join",
    .capabilities = &toy_join_capabilities,
    .build = build,
    .prepare = prepare_join,
    .forward = forward_join,
    .backward = backward_join,
    .release = release,
};
