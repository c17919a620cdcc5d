/* Transposed 2-D convolution of [H, W, C]: the input's gradient of a convolution in the other direction, from this
   layer's output, the image, to its input, the map. Dumoulin & Visin 2016, arXiv 1603.07285. */
#include <thaw/layer_capabilities.h>
#include <thaw/layer_module.h>
#include <thaw/layers.h>

#include "kernels/best_convolution.h"
#include "layers/bias.h"
#include "layers/border.h"
#include "layers/weighted.h"
#include "layers/window.h"

enum { WEIGHT, BIAS };

typedef struct conv_transpose2d {
    thaw_weighted weighted; /* its forward is backward data of that convolution */
    bool relu;
    thaw_border border; /* of the input; the bordered input is first in scratch */
} conv_transpose2d;

/* ---- building ---- */

static int64_t or_one(int64_t value)
{
    return value ? value : 1;
}

static int64_t output_size(const thaw_conv_transpose2d_options *o, const thaw_shape *input, int axis)
{
    const int64_t reach = or_one(o->dilation[axis]) * (o->kernel[axis] - 1) + 1;
    return (input->dims[axis] - 1) * or_one(o->stride[axis]) - 2 * o->padding[axis] + reach + o->output_padding[axis];
}

static thaw_status check_ranges(thaw_layer_builder *builder, const thaw_conv_transpose2d_options *o)
{
    const int64_t stride[] = { or_one(o->stride[0]), or_one(o->stride[1]) };
    const int64_t dilation[] = { or_one(o->dilation[0]), or_one(o->dilation[1]) };
    thaw_status status = thaw_window_check_range(builder, "kernel", o->kernel, 1, false);
    if (status == THAW_OK)
        status = thaw_window_check_range(builder, "stride", stride, 1, false);
    if (status == THAW_OK)
        status = thaw_window_check_range(builder, "padding", o->padding, 0, false);
    if (status == THAW_OK)
        status = thaw_window_check_range(builder, "dilation", dilation, 1, false);
    return status == THAW_OK ? thaw_window_check_range(builder, "output padding", o->output_padding, 0, false) : status;
}

/* As in PyTorch. */
static thaw_status check_output(thaw_layer_builder *builder, const thaw_conv_transpose2d_options *o,
                                const thaw_shape *input)
{
    char text[80];
    for (int i = 0; i < 2; i++) {
        const int64_t stride = or_one(o->stride[i]), dilation = or_one(o->dilation[i]);
        if (o->output_padding[i] >= stride && o->output_padding[i] >= dilation)
            return thaw_builder_fail(
                builder, THAW_INVALID_ARGUMENT,
                "output padding is %lld, must be less than the stride, %lld, or the dilation, %lld",
                (long long)o->output_padding[i], (long long)stride, (long long)dilation);
        if (output_size(o, input, i) < 1)
            return thaw_builder_fail(builder, THAW_SHAPE_MISMATCH,
                                     "padding is [%lld, %lld], which leaves no output for an input of shape %s",
                                     (long long)o->padding[0], (long long)o->padding[1],
                                     thaw_shape_format(input, text, sizeof text));
    }
    return THAW_OK;
}

/* PyTorch takes the weight's second dimension as the number of inputs. */
static thaw_status register_parameters(thaw_layer_builder *builder, const thaw_conv_transpose2d_options *o,
                                       int64_t channels)
{
    const int64_t filters = o->filters / or_one(o->groups);
    const double area = (double)o->kernel[0] * (double)o->kernel[1];
    const thaw_weighted_parameters parameters = {
        .weight = { 4, { channels, filters, o->kernel[0], o->kernel[1] } },
        .outputs = o->filters,
        .fan_in = (double)filters * area,
        .fan_out = (double)channels * area,
        .initializer = o->initializer,
        .bias_initializer = o->bias_initializer,
        .no_bias = o->no_bias,
    };
    return thaw_weighted_register(builder, &parameters);
}

static thaw_status build(thaw_layer_builder *builder, const void *options)
{
    const thaw_conv_transpose2d_options *o = options;
    const thaw_shape *input = thaw_builder_input(builder, 0);
    thaw_status status = thaw_window_check_image(builder, input);
    if (status == THAW_OK)
        status = check_ranges(builder, o);
    if (status == THAW_OK)
        status = check_output(builder, o, input);
    if (status == THAW_OK)
        status = thaw_weighted_check_groups(builder, or_one(o->groups), input->dims[2], o->filters);
    if (status == THAW_OK)
        status = register_parameters(builder, o, input->dims[2]);
    if (status != THAW_OK)
        return status;
    const double filters = (double)(o->filters / or_one(o->groups)), area = (double)o->kernel[0] * (double)o->kernel[1];
    thaw_builder_flops(builder, 2 * (double)thaw_shape_count(input) * filters * area);
    return thaw_builder_output(builder,
                               &(thaw_shape){ 3, { output_size(o, input, 0), output_size(o, input, 1), o->filters } });
}

/* ---- preparing ---- */

static thaw_convolution problem_of(const thaw_layer_demand *demand)
{
    const thaw_conv_transpose2d_options *o = demand->options;
    thaw_convolution problem = {
        .batch = demand->batch,
        .groups = or_one(o->groups),
        .input_channels = o->filters,
        .output_channels = demand->inputs[0].dims[2],
        .precision = demand->capabilities->precision,
        .training = demand->training,
    };
    for (int i = 0; i < 2; i++) {
        problem.input[i] = demand->output.dims[i];
        problem.kernel[i] = o->kernel[i];
        problem.stride[i] = or_one(o->stride[i]);
        problem.dilation[i] = or_one(o->dilation[i]);
        const int64_t more = o->padding[i] - o->output_padding[i];
        problem.padding_before[i] = o->padding[i];
        problem.padding_after[i] = more > 0 ? more : 0;
        /* If the output has more padding, that convolution makes a larger map: the input of this one, with a border
           of zeros. */
        problem.output[i] = demand->inputs[0].dims[i] + (more < 0 ? -more / problem.stride[i] : 0);
    }
    return problem;
}

static thaw_border border_of(const thaw_layer_demand *demand)
{
    const thaw_convolution problem = problem_of(demand);
    return (thaw_border){
        .batch = (size_t)demand->batch,
        .place_bytes = (size_t)problem.output_channels * thaw_dtype_bytes(demand->capabilities->precision),
        .height = (size_t)demand->inputs[0].dims[0],
        .width = (size_t)demand->inputs[0].dims[1],
        .larger_height = (size_t)problem.output[0],
        .larger_width = (size_t)problem.output[1],
    };
}

static thaw_status create_kernels(const thaw_layer_demand *demand, thaw_weighted *w)
{
    const thaw_convolution problem = problem_of(demand);
    w->transposed = true;
    thaw_status status =
        thaw_best_convolution_backward_data(demand->context, &problem, &w->forward, &w->copies.pack_forward);
    if (status == THAW_OK && demand->input_gradient[0])
        status = thaw_best_convolution_forward(demand->context, &problem, &w->backward_data, &w->copies.pack_backward);
    if (status == THAW_OK && demand->parameter_gradient[WEIGHT])
        status =
            thaw_best_convolution_backward_weights(demand->context, &problem, &w->gradient.kernel, &w->gradient.unpack);
    return status;
}

static size_t border_bytes(const conv_transpose2d *c)
{
    return thaw_align(thaw_border_bytes(&c->border));
}

static thaw_status prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    conv_transpose2d *c = thaw_allocate(demand->context, sizeof *c);
    if (!c)
        return THAW_OUT_OF_MEMORY;
    thaw_weighted_begin(demand, &c->weighted);
    c->border = border_of(demand);
    c->relu = demand->capabilities->epilogue.activation == THAW_ACTIVATION_RELU;
    thaw_status status = create_kernels(demand, &c->weighted);
    if (status == THAW_OK)
        status = thaw_weighted_end(demand, &c->weighted, needs);
    if (status == THAW_OK)
        needs->scratch_bytes += border_bytes(c);
    else
        thaw_weighted_release(demand->context, c);
    return status;
}

/* ---- running ---- */

/* A run on the bordered input. */
typedef struct bordered_run {
    thaw_layer_run run;
    const void *input;
    void *input_gradient;
} bordered_run;

/* `reads`: the kernels read the input. */
static const thaw_layer_run *with_border(const thaw_layer_run *run, bool reads, bordered_run *bordered)
{
    const conv_transpose2d *c = run->state;
    const size_t bytes = border_bytes(c);
    if (bytes == 0)
        return run;
    if (reads)
        thaw_border_add(run->context, &c->border, run->inputs[0], run->scratch);
    *bordered = (bordered_run){ *run, run->scratch, run->scratch };
    bordered->run.inputs = &bordered->input;
    bordered->run.input_gradients = &bordered->input_gradient;
    bordered->run.scratch = (char *)run->scratch + bytes;
    return &bordered->run;
}

static thaw_status forward(const thaw_layer_run *run)
{
    const conv_transpose2d *c = run->state;
    const thaw_weighted *w = &c->weighted;
    bordered_run bordered;
    const thaw_status status = thaw_weighted_forward(with_border(run, true, &bordered));
    if (status == THAW_OK)
        thaw_add_bias(run->context, w->rows, w->outputs, w->precision, thaw_weight_copies_bias(&w->copies, run),
                      c->relu, run->output);
    return status;
}

/* When the gradient of the input is computed, the bordered input is no longer needed. */
static thaw_status backward(const thaw_layer_run *run)
{
    const conv_transpose2d *c = run->state;
    const thaw_weighted *w = &c->weighted;
    bordered_run bordered;
    const thaw_status status = thaw_weighted_backward(with_border(run, w->gradient.kernel, &bordered));
    if (status == THAW_OK && w->backward_data && border_bytes(c) > 0)
        thaw_border_remove(run->context, &c->border, run->scratch, run->input_gradients[0]);
    return status;
}

/* Takes only ReLU: oneDNN's backward-data kernels cannot do anything to their results. */
static bool takes_epilogue(const thaw_layer_demand *demand)
{
    const thaw_epilogue *epilogue = &demand->capabilities->epilogue;
    return !epilogue->maps_channels && !epilogue->residual && epilogue->activation <= THAW_ACTIVATION_RELU;
}

static thaw_status export_onnx(const thaw_layer_export *layer)
{
    const thaw_conv_transpose2d_options *o = layer->options;
    thaw_window window = { 0 };
    for (int i = 0; i < 2; i++) {
        window.kernel[i] = o->kernel[i];
        window.stride[i] = or_one(o->stride[i]);
        window.dilation[i] = or_one(o->dilation[i]);
        window.padding_before[i] = window.padding_after[i] = o->padding[i];
    }
    thaw_onnx_operator operation = thaw_window_export(&window, "ConvTranspose");
    operation.inputs[0] = thaw_onnx_input(layer, 0, THAW_CHANNELS_FIRST);
    operation.inputs[1] = thaw_onnx_parameter(layer, WEIGHT);
    operation.inputs[2] = thaw_onnx_parameter(layer, BIAS);
    operation.attributes[4] = (thaw_onnx_attribute){ .name = "group", .integer = or_one(o->groups) };
    operation.attributes[5] = (thaw_onnx_attribute){ .name = "output_padding",
                                                     .kind = THAW_ONNX_INTEGERS,
                                                     .integers = { o->output_padding[0], o->output_padding[1] },
                                                     .count = 2 };
    return thaw_onnx_output(layer, thaw_onnx_append(layer, &operation), THAW_CHANNELS_FIRST);
}

static const thaw_layer_capabilities capabilities = {
    .size = sizeof(thaw_layer_capabilities),
    .takes_epilogue = takes_epilogue,
    .bfloat16 = THAW_BFLOAT16_CHOSEN,
};

static const thaw_layer_module module = {
    .size = sizeof(thaw_layer_module),
    .abi = THAW_LAYER_ABI,
    .name = "conv_transpose2d",
    .options_size = sizeof(thaw_conv_transpose2d_options),
    .capabilities = &capabilities,
    .build = build,
    .prepare = prepare,
    .pack = thaw_weighted_pack,
    .forward = forward,
    .backward = backward,
    .release = thaw_weighted_release,
    .export_onnx = export_onnx,
};

thaw_status thaw_conv_transpose2d(thaw_model *model, thaw_node input, const thaw_conv_transpose2d_options *options,
                                  thaw_node *output)
{
    const thaw_conv_transpose2d_options settings = options ? *options : (thaw_conv_transpose2d_options){ 0 };
    return thaw_model_append(model, &module, settings.name, &input, 1, &settings, output);
}
