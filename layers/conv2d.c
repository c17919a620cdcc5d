/* 2-D convolution (cross-correlation) of [H, W, C]; weight OIHW. */
#include "layers/conv2d.h"

#include <thaw/layer_capabilities.h>

#include "kernels/best_convolution.h"
#include "layers/weighted.h"
#include "layers/window.h"

enum { WEIGHT, BIAS };

static thaw_status check_options(thaw_layer_builder *builder, const thaw_conv2d_options *o, const thaw_shape *input)
{
    const thaw_status status =
        thaw_weighted_check_groups(builder, o->groups ? o->groups : 1, input->dims[2], o->filters);
    if (status != THAW_OK || !o->same)
        return status;
    for (int i = 0; i < 2; i++)
        if (o->stride[i] > 1 || o->padding[i] != 0)
            return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT,
                                     "stride is %lld and padding is %lld, must be 1 and 0 with \"same\"",
                                     (long long)o->stride[i], (long long)o->padding[i]);
    return THAW_OK;
}

static thaw_window window_of(const thaw_conv2d_options *o)
{
    thaw_window window = { .same = o->same };
    for (int i = 0; i < 2; i++) {
        window.kernel[i] = o->kernel[i];
        window.stride[i] = o->stride[i] ? o->stride[i] : 1;
        window.dilation[i] = o->dilation[i] ? o->dilation[i] : 1;
        window.padding[i] = o->padding[i];
    }
    return window;
}

static thaw_status register_parameters(thaw_layer_builder *builder, const thaw_conv2d_options *o, int64_t channels,
                                       bool sequence)
{
    const thaw_shape image_weight = { 4, { o->filters, channels, o->kernel[0], o->kernel[1] } };
    const thaw_shape sequence_weight = { 3, { o->filters, channels, o->kernel[1] } };
    const double area = (double)o->kernel[0] * (double)o->kernel[1];
    const thaw_weighted_parameters parameters = {
        .weight = sequence ? sequence_weight : image_weight,
        .outputs = o->filters,
        .fan_in = (double)channels * area,
        .fan_out = (double)o->filters * area,
        .initializer = o->initializer,
        .bias_initializer = o->bias_initializer,
        .no_bias = o->no_bias,
    };
    return thaw_weighted_register(builder, &parameters);
}

thaw_status thaw_conv2d_build(thaw_layer_builder *builder, const thaw_conv2d_options *o, const thaw_shape *image,
                              bool sequence)
{
    thaw_window window = window_of(o);
    window.sequence = sequence;
    thaw_status status = thaw_window_check(builder, &window, image);
    if (status == THAW_OK)
        status = check_options(builder, o, image);
    if (status != THAW_OK)
        return status;
    const int64_t channels = image->dims[2] / (o->groups ? o->groups : 1);
    status = register_parameters(builder, o, channels, sequence);
    if (status != THAW_OK)
        return status;
    const double positions = (double)window.output[0] * (double)window.output[1];
    const double area = (double)o->kernel[0] * (double)o->kernel[1];
    thaw_builder_flops(builder, 2 * positions * (double)o->filters * (double)channels * area);
    const thaw_shape output = { 3, { window.output[0], window.output[1], o->filters } };
    const thaw_shape steps = { 2, { window.output[1], o->filters } };
    return thaw_builder_output(builder, sequence ? &steps : &output);
}

static thaw_status build(thaw_layer_builder *builder, const void *options)
{
    const thaw_shape *input = thaw_builder_input(builder, 0);
    const thaw_status status = thaw_window_check_image(builder, input);
    return status == THAW_OK ? thaw_conv2d_build(builder, options, input, false) : status;
}

static thaw_convolution problem_of(const thaw_layer_demand *demand)
{
    const thaw_conv2d_options *o = demand->options;
    const thaw_shape *input = &demand->inputs[0];
    thaw_window window = window_of(o);
    thaw_window_fit(&window, input);
    thaw_convolution problem = {
        .batch = demand->batch,
        .groups = o->groups ? o->groups : 1,
        .input_channels = input->dims[2],
        .output_channels = o->filters,
        .precision = demand->capabilities->precision,
        .bias = !o->no_bias || demand->capabilities->epilogue.maps_channels,
        .after = { demand->capabilities->epilogue.residual, demand->capabilities->epilogue.activation },
        .training = demand->training,
        .save_memory = demand->capabilities->save_memory,
        .packs_once = !demand->parameter_gradient[WEIGHT] && demand->capabilities->low_rank.rank == 0,
    };
    for (int i = 0; i < 2; i++) {
        problem.input[i] = input->dims[i];
        problem.output[i] = window.output[i];
        problem.kernel[i] = window.kernel[i];
        problem.stride[i] = window.stride[i];
        problem.dilation[i] = window.dilation[i];
        problem.padding_before[i] = window.padding_before[i];
        problem.padding_after[i] = window.padding_after[i];
    }
    return problem;
}

/* Creates the forward kernel. If it would misread a residual beside the output, it gets the residual in the output. */
static thaw_status create_forward(thaw_context *context, thaw_convolution *problem, thaw_weighted *w)
{
    const thaw_status status = thaw_best_convolution_forward(context, problem, &w->forward, &w->copies.pack_forward);
    if (status != THAW_OK || problem->after.residual != THAW_RESIDUAL_BESIDE ||
        !thaw_convolution_misreads_residual(w->forward))
        return status;
    thaw_kernel_release(context, w->forward);
    thaw_kernel_release(context, w->copies.pack_forward);
    problem->after.residual = THAW_RESIDUAL_IN_PLACE;
    w->copies_residual = true;
    return thaw_best_convolution_forward(context, problem, &w->forward, &w->copies.pack_forward);
}

static thaw_status create_kernels(const thaw_layer_demand *demand, thaw_weighted *w)
{
    thaw_convolution problem = problem_of(demand);
    if (demand->capabilities->low_rank.beside)
        problem.after.activation = THAW_ACTIVATION_NONE; /* applied once the change has been added */
    thaw_status status = create_forward(demand->context, &problem, w);
    if (status == THAW_OK && demand->input_gradient[0])
        status =
            thaw_best_convolution_backward_data(demand->context, &problem, &w->backward_data, &w->copies.pack_backward);
    if (status == THAW_OK)
        status = thaw_weighted_create_branch(demand, NULL, &problem, w);
    problem.bias = w->bias_trains;
    if (status == THAW_OK && demand->parameter_gradient[WEIGHT])
        status =
            thaw_best_convolution_backward_weights(demand->context, &problem, &w->gradient.kernel, &w->gradient.unpack);
    return status;
}

static thaw_status prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    thaw_weighted *w = thaw_allocate(demand->context, sizeof *w);
    if (!w)
        return THAW_OUT_OF_MEMORY;
    thaw_weighted_begin(demand, w);
    thaw_status status = create_kernels(demand, w);
    if (status == THAW_OK)
        status = thaw_weighted_end(demand, w, needs);
    if (status != THAW_OK)
        thaw_weighted_release(demand->context, w);
    return status;
}

/* Without AVX2, oneDNN 2.6's depthwise kernels that add a residual crash if its rows are not aligned to 16 bytes. */
static bool takes_epilogue(const thaw_layer_demand *demand)
{
    const thaw_conv2d_options *o = demand->options;
    if (demand->capabilities->epilogue.residual && o->groups > 1 && !thaw_dnn_has_avx2())
        return false;
    return thaw_weighted_takes_epilogue(demand);
}

/* With several groups of channels, the change is not a convolution of low rank. */
static bool takes_low_rank(const void *options, size_t parameter)
{
    const thaw_conv2d_options *o = options;
    return parameter == WEIGHT && o->groups <= 1;
}

thaw_status thaw_conv2d_export(const thaw_layer_export *layer, const thaw_conv2d_options *o, const thaw_shape *image,
                               bool sequence)
{
    thaw_window window = window_of(o);
    window.sequence = sequence;
    thaw_window_fit(&window, image);
    thaw_onnx_operator operation = thaw_window_export(&window, "Conv");
    operation.inputs[0] = thaw_onnx_input(layer, 0, THAW_CHANNELS_FIRST);
    operation.inputs[1] = thaw_onnx_parameter(layer, WEIGHT);
    operation.inputs[2] = thaw_onnx_parameter(layer, BIAS);
    operation.attributes[4] = (thaw_onnx_attribute){ .name = "group", .integer = o->groups ? o->groups : 1 };
    return thaw_onnx_output(layer, thaw_onnx_append(layer, &operation), THAW_CHANNELS_FIRST);
}

static thaw_status export_onnx(const thaw_layer_export *layer)
{
    return thaw_conv2d_export(layer, layer->options, &layer->inputs[0], false);
}

static const thaw_layer_capabilities capabilities = {
    .size = sizeof(thaw_layer_capabilities),
    .takes_epilogue = takes_epilogue,
    .bfloat16 = THAW_BFLOAT16_CHOSEN,
    .takes_low_rank = takes_low_rank,
    .unpack = thaw_weighted_unpack,
    .packs_alike = thaw_weighted_packs_alike,
};

const thaw_layer_module thaw_conv2d_module = {
    .size = sizeof(thaw_layer_module),
    .abi = THAW_LAYER_ABI,
    .name = "conv2d",
    .options_size = sizeof(thaw_conv2d_options),
    .capabilities = &capabilities,
    .build = build,
    .prepare = prepare,
    .pack = thaw_weighted_pack,
    .forward = thaw_weighted_forward,
    .backward = thaw_weighted_backward,
    .release = thaw_weighted_release,
    .export_onnx = export_onnx,
};

thaw_status thaw_conv2d(thaw_model *model, thaw_node input, const thaw_conv2d_options *options, thaw_node *output)
{
    const thaw_conv2d_options settings = options ? *options : (thaw_conv2d_options){ 0 };
    return thaw_model_append(model, &thaw_conv2d_module, settings.name, &input, 1, &settings, output);
}
