/* Transposed 2-D convolution of [H, W, C]: the input's gradient of a convolution that goes the other way, from this
   layer's output, the image, to its input, the map. Dumoulin & Visin 2016, arXiv 1603.07285. */
#include <thaw/layers.h>

#include "core/allocation.h"
#include "layers/bias.h"
#include "layers/border.h"
#include "layers/column_sum.h"
#include "layers/window.h"
#include "onednn/convolution.h"

enum { WEIGHT, BIAS };

typedef struct conv_transpose2d {
    size_t rows, filters; /* of the output as a matrix */
    bool bias, relu, sums_bias;
    thaw_dtype precision;
    thaw_border border;                  /* of the input, whose larger form comes first in scratch */
    thaw_kernel *forward, *pack_forward; /* backward data of that convolution */
    thaw_kernel *backward_data, *pack_backward;
    thaw_kernel *backward_weights, *unpack;
    size_t backward_offset; /* of backward data's weights in the packed memory */
    size_t gradient_bytes;  /* of the weight's gradient before unpacking, next in scratch */
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

/* As PyTorch does it. */
static thaw_status check_output(thaw_layer_builder *builder, const thaw_conv_transpose2d_options *o,
                                const thaw_shape *input)
{
    char text[80];
    for (int i = 0; i < 2; i++) {
        const int64_t stride = or_one(o->stride[i]), dilation = or_one(o->dilation[i]);
        if (o->output_padding[i] >= stride && o->output_padding[i] >= dilation)
            return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT,
                                     "output padding is %lld, wanted less than the stride, %lld, or the dilation, %lld",
                                     (long long)o->output_padding[i], (long long)stride, (long long)dilation);
        if (output_size(o, input, i) < 1)
            return thaw_builder_fail(builder, THAW_SHAPE_MISMATCH,
                                     "a padding of [%lld, %lld] leaves nothing of an input of shape %s",
                                     (long long)o->padding[0], (long long)o->padding[1],
                                     thaw_shape_format(input, text, sizeof text));
    }
    return THAW_OK;
}

static thaw_status check_channels(thaw_layer_builder *builder, const thaw_conv_transpose2d_options *o, int64_t channels)
{
    const int64_t groups = or_one(o->groups);
    if (o->filters < 1)
        return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT, "filters is %lld, wanted at least 1",
                                 (long long)o->filters);
    if (groups < 1 || channels % groups || o->filters % groups)
        return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT,
                                 "groups is %lld, which does not divide %lld input channels and %lld filters",
                                 (long long)groups, (long long)channels, (long long)o->filters);
    return THAW_OK;
}

/* PyTorch takes the weight's second dimension for the number of inputs. */
static thaw_status register_parameters(thaw_layer_builder *builder, const thaw_conv_transpose2d_options *o,
                                       int64_t channels)
{
    const int64_t filters = o->filters / or_one(o->groups);
    const double area = (double)o->kernel[0] * (double)o->kernel[1];
    const double fan_in = (double)filters * area, fan_out = (double)channels * area;
    const thaw_parameter_specification weight = {
        .name = "weight",
        .role = THAW_WEIGHT,
        .shape = { 4, { channels, filters, o->kernel[0], o->kernel[1] } },
        .initializer = o->initializer,
        .fan_in = fan_in,
        .fan_out = fan_out,
    };
    const thaw_parameter_specification bias = {
        .name = "bias",
        .role = THAW_BIAS,
        .shape = { 1, { o->filters } },
        .initializer = o->bias_initializer,
        .fan_in = fan_in,
        .fan_out = fan_out,
    };
    const thaw_status status = thaw_builder_parameter(builder, &weight);
    return status == THAW_OK && !o->no_bias ? thaw_builder_parameter(builder, &bias) : status;
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
        status = check_channels(builder, o, input->dims[2]);
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
        .precision = demand->precision,
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
        /* Where the output is padded by more, that convolution makes a larger map: with zeros, this one's input. */
        problem.output[i] = demand->inputs[0].dims[i] + (more < 0 ? -more / problem.stride[i] : 0);
    }
    return problem;
}

static thaw_border border_of(const thaw_layer_demand *demand)
{
    const thaw_convolution problem = problem_of(demand);
    return (thaw_border){
        .batch = (size_t)demand->batch,
        .place_bytes = (size_t)problem.output_channels * thaw_dtype_bytes(demand->precision),
        .height = (size_t)demand->inputs[0].dims[0],
        .width = (size_t)demand->inputs[0].dims[1],
        .larger_height = (size_t)problem.output[0],
        .larger_width = (size_t)problem.output[1],
    };
}

static void release(thaw_context *context, void *state)
{
    conv_transpose2d *c = state;
    thaw_kernel_release(context, c->forward);
    thaw_kernel_release(context, c->pack_forward);
    thaw_kernel_release(context, c->backward_data);
    thaw_kernel_release(context, c->pack_backward);
    thaw_kernel_release(context, c->backward_weights);
    thaw_kernel_release(context, c->unpack);
    thaw_release(context, c);
}

static thaw_status create_kernels(const thaw_layer_demand *demand, conv_transpose2d *c)
{
    const thaw_convolution problem = problem_of(demand);
    thaw_status status = thaw_convolution_backward_data(demand->context, &problem, &c->forward, &c->pack_forward);
    if (status == THAW_OK && demand->input_gradient[0])
        status = thaw_convolution_forward(demand->context, &problem, &c->backward_data, &c->pack_backward);
    if (status == THAW_OK && demand->parameter_gradient[WEIGHT])
        status = thaw_convolution_backward_weights(demand->context, &problem, &c->backward_weights, &c->unpack);
    return status;
}

static size_t packed_bytes(const thaw_kernel *pack)
{
    return pack ? thaw_align(thaw_kernel_bytes(pack, THAW_ARGUMENT_DESTINATION)) : 0;
}

static size_t border_bytes(const conv_transpose2d *c)
{
    return thaw_align(thaw_border_bytes(&c->border));
}

static size_t scratch_bytes(const conv_transpose2d *c)
{
    const size_t candidates[] = {
        thaw_kernel_scratch_bytes(c->forward),
        thaw_kernel_scratch_bytes(c->pack_forward),
        thaw_kernel_scratch_bytes(c->backward_data),
        thaw_kernel_scratch_bytes(c->pack_backward),
        c->gradient_bytes + thaw_kernel_scratch_bytes(c->backward_weights),
        c->gradient_bytes + thaw_kernel_scratch_bytes(c->unpack),
        c->sums_bias ? thaw_column_sum_scratch_bytes(c->rows, c->filters) : 0,
    };
    size_t most = 0;
    for (size_t i = 0; i < THAW_COUNT(candidates); i++)
        most = candidates[i] > most ? candidates[i] : most;
    return border_bytes(c) + most;
}

static thaw_status prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    conv_transpose2d *c = thaw_allocate(demand->context, sizeof *c);
    if (!c)
        return THAW_OUT_OF_MEMORY;
    c->filters = (size_t)demand->output.dims[2];
    c->rows = (size_t)demand->batch * (thaw_shape_count(&demand->output) / c->filters);
    c->precision = demand->precision;
    c->border = border_of(demand);
    c->bias = demand->parameter_count > BIAS;
    c->relu = demand->epilogue.activation == THAW_ACTIVATION_RELU;
    c->sums_bias = c->bias && demand->parameter_gradient[BIAS];
    const thaw_status status = create_kernels(demand, c);
    if (status != THAW_OK) {
        release(demand->context, c);
        return status;
    }
    c->backward_offset = packed_bytes(c->pack_forward);
    c->gradient_bytes = c->unpack ? thaw_align(thaw_kernel_bytes(c->unpack, THAW_ARGUMENT_SOURCE)) : 0;
    needs->state = c;
    needs->packed_bytes = c->backward_offset + packed_bytes(c->pack_backward);
    needs->scratch_bytes = scratch_bytes(c);
    needs->keeps_inputs = c->backward_weights;
    needs->kernel = thaw_kernel_name(c->forward);
    return THAW_OK;
}

/* ---- running ---- */

static char *scratch_of(const thaw_layer_run *run)
{
    return run->scratch ? (char *)run->scratch + border_bytes(run->state) : NULL;
}

/* The input as the kernels want it. */
static const void *bordered_input(const thaw_layer_run *run)
{
    const conv_transpose2d *c = run->state;
    if (!border_bytes(c))
        return run->inputs[0];
    thaw_border_add(run->context, &c->border, run->inputs[0], run->scratch);
    return run->scratch;
}

static thaw_status relayout(thaw_kernel *kernel, const void *from, void *into, void *scratch)
{
    const thaw_binding bindings[] = { { THAW_ARGUMENT_SOURCE, from }, { THAW_ARGUMENT_DESTINATION, into } };
    return kernel ? thaw_kernel_run(kernel, bindings, THAW_COUNT(bindings), scratch) : THAW_OK;
}

static thaw_status pack(const thaw_layer_run *run)
{
    const conv_transpose2d *c = run->state;
    char *packed = run->packed;
    const float *weight = run->parameters[WEIGHT];
    const thaw_status status = relayout(c->pack_forward, weight, packed, run->scratch);
    return status == THAW_OK ? relayout(c->pack_backward, weight, packed + c->backward_offset, run->scratch) : status;
}

static thaw_status forward(const thaw_layer_run *run)
{
    const conv_transpose2d *c = run->state;
    const thaw_binding bindings[] = {
        { THAW_ARGUMENT_DESTINATION_GRADIENT, bordered_input(run) },
        { THAW_ARGUMENT_WEIGHTS, c->pack_forward ? run->packed : run->parameters[WEIGHT] },
        { THAW_ARGUMENT_SOURCE_GRADIENT, run->output },
    };
    const thaw_status status = thaw_kernel_run(c->forward, bindings, THAW_COUNT(bindings), scratch_of(run));
    if (status == THAW_OK)
        thaw_add_bias(run->context, c->rows, c->filters, c->precision, c->bias ? run->parameters[BIAS] : NULL, c->relu,
                      run->output);
    return status;
}

static thaw_status weight_gradient(const thaw_layer_run *run, const conv_transpose2d *c)
{
    char *scratch = scratch_of(run), *rest = scratch ? scratch + c->gradient_bytes : NULL;
    const thaw_binding bindings[] = {
        { THAW_ARGUMENT_SOURCE, run->output_gradient },
        { THAW_ARGUMENT_DESTINATION_GRADIENT, bordered_input(run) },
        { THAW_ARGUMENT_WEIGHTS_GRADIENT, c->unpack ? (float *)(void *)scratch : run->parameter_gradients[WEIGHT] },
    };
    const thaw_status status = thaw_kernel_run(c->backward_weights, bindings, THAW_COUNT(bindings), rest);
    return status == THAW_OK ? relayout(c->unpack, scratch, run->parameter_gradients[WEIGHT], rest) : status;
}

static thaw_status input_gradient(const thaw_layer_run *run, const conv_transpose2d *c)
{
    const char *packed = run->packed;
    const bool bordered = border_bytes(c) > 0;
    const thaw_binding bindings[] = {
        { THAW_ARGUMENT_SOURCE, run->output_gradient },
        { THAW_ARGUMENT_WEIGHTS,
          c->pack_backward ? (const void *)(packed + c->backward_offset) : run->parameters[WEIGHT] },
        { THAW_ARGUMENT_DESTINATION, bordered ? run->scratch : run->input_gradients[0] },
    };
    const thaw_status status = thaw_kernel_run(c->backward_data, bindings, THAW_COUNT(bindings), scratch_of(run));
    if (status == THAW_OK && bordered)
        thaw_border_strip(run->context, &c->border, run->scratch, run->input_gradients[0]);
    return status;
}

static thaw_status backward(const thaw_layer_run *run)
{
    const conv_transpose2d *c = run->state;
    const thaw_status status = c->backward_weights ? weight_gradient(run, c) : THAW_OK;
    if (c->sums_bias)
        thaw_column_sum(run->context, c->rows, c->filters, c->precision, run->output_gradient,
                        run->parameter_gradients[BIAS], run->scratch);
    return status == THAW_OK && c->backward_data ? input_gradient(run, c) : status;
}

/* ReLU alone: oneDNN's kernels of backward data do nothing to what they have computed. */
static bool takes_epilogue(const thaw_layer_demand *demand)
{
    const thaw_epilogue *epilogue = &demand->epilogue;
    return !epilogue->maps_channels && !epilogue->residual && epilogue->activation <= THAW_ACTIVATION_RELU;
}

static const thaw_layer_module module = {
    .name = "conv_transpose2d",
    .options_size = sizeof(thaw_conv_transpose2d_options),
    .takes_epilogue = takes_epilogue,
    .bfloat16 = THAW_BFLOAT16_CHOSEN,
    .build = build,
    .prepare = prepare,
    .pack = pack,
    .forward = forward,
    .backward = backward,
    .release = release,
};

thaw_status thaw_conv_transpose2d(thaw_model *model, thaw_node input, const thaw_conv_transpose2d_options *options,
                                  thaw_node *output)
{
    const thaw_conv_transpose2d_options chosen = options ? *options : (thaw_conv_transpose2d_options){ 0 };
    return thaw_model_append(model, &module, chosen.name, &input, 1, &chosen, output);
}
