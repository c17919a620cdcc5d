/* LayerScale: a learned number for each channel, small at first. Touvron et al. 2021, arXiv 2103.17239. */
#include <math.h>
#include <string.h>
#include <thaw/layer_capabilities.h>
#include <thaw/layer_module.h>
#include <thaw/layers.h>

#include "layers/channel_passes.h"

enum { GAMMA };

typedef struct layer_scale {
    size_t rows, channels;
    thaw_dtype precision;
    bool folded, residual; /* the layer before multiplies; another node is added */
    float zeros[];         /* the mean and the shift of the loops, one for each channel */
} layer_scale;

static thaw_status build(thaw_layer_builder *builder, const void *options)
{
    const thaw_layer_scale_options *o = options;
    const thaw_shape *input = thaw_builder_input(builder, 0);
    if (input->rank < 1)
        return thaw_builder_fail(builder, THAW_SHAPE_MISMATCH, "the input has no dimensions, must have channels");
    if (!isfinite(o->initial))
        return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT, "initial is %g, must be finite", o->initial);
    const thaw_parameter_specification gamma = {
        .name = o->parameter ? o->parameter : "gamma",
        .path = o->parameter ? "" : NULL,
        .role = THAW_SCALE,
        .shape = { 1, { input->dims[input->rank - 1] } },
        .initializer = THAW_INITIAL_CONSTANT,
        .constant = o->initial != 0 ? o->initial : 1e-5,
    };
    const thaw_status status = thaw_builder_parameter(builder, &gamma);
    thaw_builder_flops(builder, (double)thaw_shape_count(input));
    return status == THAW_OK ? thaw_builder_output(builder, input) : status;
}

static thaw_status prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    const size_t channels = thaw_shape_count(&demand->parameters[GAMMA]);
    layer_scale *l = thaw_allocate(demand->context, sizeof *l + channels * sizeof *l->zeros);
    if (!l)
        return THAW_OUT_OF_MEMORY;
    l->channels = channels;
    l->rows = (size_t)demand->batch * thaw_shape_count(&demand->output) / channels;
    l->precision = demand->capabilities->precision;
    l->folded = demand->capabilities->folded;
    l->residual = demand->capabilities->epilogue.residual != THAW_RESIDUAL_NONE;
    needs->state = l;
    needs->kernel = "a number for each channel";
    if (l->folded) {
        needs->packed_bytes = 2 * channels * sizeof(float);
        return THAW_OK;
    }
    const bool learns = demand->parameter_gradient[GAMMA];
    needs->scratch_bytes =
        demand->training ? 2 * channels * sizeof(double) + thaw_channels_scratch_bytes(l->rows, channels) : 0;
    needs->keeps_inputs = learns;
    needs->in_place = !learns;
    needs->gradient_in_place = true;
    return THAW_OK;
}

/* For the layer before: each channel's scale, and its shift, which is 0. */
static thaw_status pack(const thaw_layer_run *run)
{
    const layer_scale *l = run->state;
    if (!l->folded)
        return THAW_OK;
    memcpy(run->packed, run->parameters[GAMMA], l->channels * sizeof(float));
    memset((float *)run->packed + l->channels, 0, l->channels * sizeof(float));
    return THAW_OK;
}

static thaw_channel_pass pass_of(const thaw_layer_run *run)
{
    const layer_scale *l = run->state;
    return (thaw_channel_pass){
        .channels = l->channels,
        .precision = l->precision,
        .input = run->inputs[0],
        .residual = l->residual ? run->inputs[1] : NULL,
        .mean = l->zeros,
        .scale = run->parameters[GAMMA],
        .shift = l->zeros,
        .output = run->output,
        .output_gradient = run->output_gradient,
    };
}

static thaw_status forward(const thaw_layer_run *run)
{
    const layer_scale *l = run->state;
    const thaw_channel_pass pass = pass_of(run);
    thaw_channels_normalise(run->context, &pass, l->rows);
    return THAW_OK;
}

/* The gradient of the residual is a copy of the output's, taken before that may be overwritten. */
static thaw_status backward(const thaw_layer_run *run)
{
    const layer_scale *l = run->state;
    thaw_channel_pass pass = pass_of(run);
    float *gamma = run->parameter_gradients[GAMMA];
    double *sums = run->scratch, *products = sums + l->channels;
    pass.slope = l->residual ? run->input_gradients[1] : NULL;
    if (gamma || pass.slope)
        thaw_channels_reduce(run->context, &pass, l->rows, sums, gamma ? products : NULL, products + l->channels);
    for (size_t c = 0; gamma && c < l->channels; c++)
        gamma[c] = (float)products[c];
    pass.gradient = run->input_gradients[0];
    if (pass.gradient)
        thaw_channels_differentiate(run->context, &pass, l->rows);
    return THAW_OK;
}

static bool takes_epilogue(const thaw_layer_demand *demand)
{
    return !demand->capabilities->epilogue.maps_channels &&
           demand->capabilities->epilogue.activation == THAW_ACTIVATION_NONE;
}

static thaw_status export_onnx(const thaw_layer_export *layer)
{
    thaw_onnx_value *x = thaw_onnx_input(layer, 0, THAW_CHANNELS_LAST);
    x = thaw_onnx_apply(layer, "Mul", x, thaw_onnx_parameter(layer, GAMMA), NULL);
    return thaw_onnx_output(layer, x, THAW_CHANNELS_LAST);
}

static const thaw_layer_capabilities capabilities = {
    .size = sizeof(thaw_layer_capabilities),
    .maps_channels = true,
    .takes_epilogue = takes_epilogue,
    .bfloat16 = THAW_BFLOAT16_FOLLOWS,
};

static const thaw_layer_module module = {
    THAW_LAYER_MODULE_HEAD,
    .name = "layer_scale",
    .options_size = sizeof(thaw_layer_scale_options),
    .capabilities = &capabilities,
    .build = build,
    .prepare = prepare,
    .pack = pack,
    .forward = forward,
    .backward = backward,
    .recompute = forward,
    .release = thaw_release,
    .export_onnx = export_onnx,
};

thaw_status thaw_layer_scale(thaw_model *model, thaw_node input, const thaw_layer_scale_options *options,
                             thaw_node *output)
{
    const thaw_layer_scale_options settings = options ? *options : (thaw_layer_scale_options){ 0 };
    return thaw_model_append(model, &module, settings.name, &input, 1, &settings, output);
}
