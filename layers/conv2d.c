/* 2-D convolution (cross-correlation) of [H, W, C]; weight OIHW. */
#include "layers/conv2d.h"

#include "core/allocation.h"
#include "kernels/bfloat16.h"
#include "layers/column_sum.h"
#include "layers/low_rank.h"
#include "layers/weight_copies.h"
#include "layers/window.h"
#include "onednn/convolution.h"

enum { WEIGHT, BIAS };

typedef struct conv2d {
    size_t rows, filters; /* of the output as a matrix */
    thaw_dtype precision;
    bool bias;
    thaw_residual residual;
    bool copies_residual;      /* from beside the output into it, before the kernel runs */
    thaw_weight_copies copies; /* that forward and backward_data read */
    thaw_kernel *forward, *backward_data;
    thaw_kernel *backward_weights, *unpack; /* unpack NULL: the kernel writes OIHW */
    size_t gradient_bytes;                  /* of the weight's gradient before unpacking, first in scratch */
    thaw_low_rank *low_rank;                /* a change to the weight, or NULL */
    bool sums_bias;                         /* the bias trains, and no kernel sums its gradient */
} conv2d;

static thaw_status check_options(thaw_layer_builder *builder, const thaw_conv2d_options *o, const thaw_shape *input)
{
    const int64_t groups = o->groups ? o->groups : 1;
    if (o->filters < 1)
        return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT, "filters is %lld, wanted at least 1",
                                 (long long)o->filters);
    if (groups < 1 || input->dims[2] % groups || o->filters % groups)
        return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT,
                                 "groups is %lld, which does not divide %lld input channels and %lld filters",
                                 (long long)groups, (long long)input->dims[2], (long long)o->filters);
    if (!o->same)
        return THAW_OK;
    for (int i = 0; i < 2; i++)
        if (o->stride[i] > 1 || o->padding[i] != 0)
            return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT,
                                     "\"same\" goes with stride 1 and no other padding, found %lld and %lld",
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
    const double fan_in = (double)channels * area, fan_out = (double)o->filters * area;
    const thaw_parameter_specification weight = {
        .name = "weight",
        .role = THAW_WEIGHT,
        .shape = sequence ? sequence_weight : image_weight,
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
        .precision = demand->precision,
        .bias = !o->no_bias || demand->epilogue.maps_channels,
        .after = { demand->epilogue.residual, demand->epilogue.activation },
        .training = demand->training,
        .thrifty = demand->thrifty,
        .packs_once = !demand->parameter_gradient[WEIGHT] && demand->low_rank.rank == 0,
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

static void release(thaw_context *context, void *state)
{
    conv2d *c = state;
    thaw_kernel_release(context, c->forward);
    thaw_kernel_release(context, c->backward_data);
    thaw_kernel_release(context, c->backward_weights);
    thaw_kernel_release(context, c->unpack);
    thaw_weight_copies_release(context, &c->copies);
    thaw_low_rank_release(context, c->low_rank);
    thaw_release(context, c);
}

static thaw_status create_low_rank(const thaw_layer_demand *demand, const thaw_convolution *convolution, conv2d *c)
{
    if (demand->low_rank.rank == 0)
        return THAW_OK;
    const thaw_low_rank_problem problem = {
        .demand = demand->low_rank,
        .rows = c->rows,
        .outputs = c->filters,
        .input_count = (size_t)demand->batch * thaw_shape_count(&demand->inputs[0]),
        .input_gradient = demand->input_gradient[0],
        .activation = demand->epilogue.activation,
        .convolution = convolution,
    };
    return thaw_low_rank_create(demand->context, &problem, &c->low_rank);
}

/* Where the kernel would misread a residual beside the output, it gets it in the output. */
static thaw_status create_forward(thaw_context *context, thaw_convolution *problem, conv2d *c)
{
    const thaw_status status = thaw_convolution_forward(context, problem, &c->forward, &c->copies.pack_forward);
    if (status != THAW_OK || problem->after.residual != THAW_RESIDUAL_BESIDE ||
        !thaw_convolution_misreads_residual(c->forward))
        return status;
    thaw_kernel_release(context, c->forward);
    thaw_kernel_release(context, c->copies.pack_forward);
    problem->after.residual = THAW_RESIDUAL_IN_PLACE;
    c->copies_residual = true;
    return thaw_convolution_forward(context, problem, &c->forward, &c->copies.pack_forward);
}

static thaw_status create_kernels(const thaw_layer_demand *demand, conv2d *c)
{
    const bool bias_gradient = c->bias && demand->parameter_gradient[BIAS];
    thaw_convolution problem = problem_of(demand);
    if (demand->low_rank.beside)
        problem.after.activation = THAW_ACTIVATION_NONE; /* applied once the change has been added */
    thaw_status status = create_forward(demand->context, &problem, c);
    if (status == THAW_OK && demand->input_gradient[0])
        status = thaw_convolution_backward_data(demand->context, &problem, &c->backward_data, &c->copies.pack_backward);
    if (status == THAW_OK)
        status = create_low_rank(demand, &problem, c);
    problem.bias = bias_gradient;
    if (status == THAW_OK && demand->parameter_gradient[WEIGHT])
        status = thaw_convolution_backward_weights(demand->context, &problem, &c->backward_weights, &c->unpack);
    c->sums_bias = bias_gradient && !thaw_kernel_sums_bias(c->backward_weights);
    return status;
}

static size_t scratch_bytes(const conv2d *c)
{
    const size_t candidates[] = {
        thaw_weight_copies_scratch_bytes(&c->copies, c->forward, c->backward_data),
        c->gradient_bytes + thaw_kernel_scratch_bytes(c->backward_weights),
        c->gradient_bytes + thaw_kernel_scratch_bytes(c->unpack),
        thaw_low_rank_scratch_bytes(c->low_rank),
        c->sums_bias ? thaw_column_sum_scratch_bytes(c->rows, c->filters) : 0,
    };
    size_t most = 0;
    for (size_t i = 0; i < THAW_COUNT(candidates); i++)
        most = candidates[i] > most ? candidates[i] : most;
    return most;
}

static thaw_status prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    conv2d *c = thaw_allocate(demand->context, sizeof *c);
    if (!c)
        return THAW_OUT_OF_MEMORY;
    const thaw_shape *output = &demand->output;
    c->rows = (size_t)(demand->batch * output->dims[0] * output->dims[1]);
    c->filters = (size_t)output->dims[2];
    c->precision = demand->precision;
    c->bias = demand->parameter_count > BIAS;
    c->residual = demand->epilogue.residual;
    thaw_status status = create_kernels(demand, c);
    if (status == THAW_OK)
        status = thaw_weight_copies_place(demand, c->forward, c->backward_data, &c->copies);
    if (status != THAW_OK) {
        release(demand->context, c);
        return status;
    }
    c->gradient_bytes = c->unpack ? thaw_align(thaw_kernel_bytes(c->unpack, THAW_ARGUMENT_SOURCE)) : 0;
    needs->state = c;
    needs->packed_bytes = thaw_weight_copies_packed_bytes(&c->copies);
    needs->lets_go = c->copies.kept;
    needs->scratch_bytes = scratch_bytes(c);
    needs->workspace_bytes = thaw_low_rank_workspace_bytes(c->low_rank);
    needs->keeps_inputs = c->backward_weights || thaw_low_rank_keeps_input(c->low_rank);
    needs->kernel = thaw_kernel_name(c->forward);
    return THAW_OK;
}

static thaw_status pack(const thaw_layer_run *run)
{
    const conv2d *c = run->state;
    return thaw_weight_copies_pack(&c->copies, run);
}

static void unpack(const thaw_layer_run *run, size_t first, size_t count, float *values)
{
    const conv2d *c = run->state;
    thaw_weight_copies_unpack(&c->copies, run, first, count, values);
}

static thaw_status convolve(const thaw_layer_run *run)
{
    const conv2d *c = run->state;
    thaw_weight_copy copy;
    const thaw_status status = thaw_weight_copy_for_forward(&c->copies, run, &copy);
    if (status != THAW_OK)
        return status;
    const bool beside = c->residual == THAW_RESIDUAL_BESIDE && !c->copies_residual;
    if (c->copies_residual)
        thaw_values_copy(run->context, c->precision, run->output, run->inputs[1], c->rows * c->filters);
    const thaw_binding bindings[] = {
        { THAW_ARGUMENT_SOURCE, run->inputs[0] },
        { THAW_ARGUMENT_WEIGHTS, copy.weight },
        { THAW_ARGUMENT_BIAS, thaw_weight_copies_bias(&c->copies, run) },
        { THAW_ARGUMENT_RESIDUAL, beside ? run->inputs[1] : NULL },
        { THAW_ARGUMENT_DESTINATION, run->output },
    };
    return thaw_kernel_run(c->forward, bindings, THAW_COUNT(bindings), copy.scratch);
}

static thaw_status forward(const thaw_layer_run *run)
{
    const conv2d *c = run->state;
    const thaw_status status = convolve(run);
    return status == THAW_OK && c->low_rank ? thaw_low_rank_forward(c->low_rank, run) : status;
}

static thaw_status weight_gradient(const thaw_layer_run *run, const conv2d *c)
{
    float *gradient = run->parameter_gradients[WEIGHT];
    char *scratch = run->scratch;
    const thaw_binding bindings[] = {
        { THAW_ARGUMENT_SOURCE, run->inputs[0] },
        { THAW_ARGUMENT_DESTINATION_GRADIENT, run->output_gradient },
        { THAW_ARGUMENT_WEIGHTS_GRADIENT, c->unpack ? run->scratch : gradient },
        { THAW_ARGUMENT_BIAS_GRADIENT, c->bias ? run->parameter_gradients[BIAS] : NULL },
    };
    char *rest = c->unpack ? scratch + c->gradient_bytes : scratch;
    const thaw_status status = thaw_kernel_run(c->backward_weights, bindings, THAW_COUNT(bindings), rest);
    if (status != THAW_OK || !c->unpack)
        return status;
    const thaw_binding unpacking[] = {
        { THAW_ARGUMENT_SOURCE, scratch },
        { THAW_ARGUMENT_DESTINATION, gradient },
    };
    return thaw_kernel_run(c->unpack, unpacking, THAW_COUNT(unpacking), rest);
}

static thaw_status input_gradient(const thaw_layer_run *run, const conv2d *c)
{
    thaw_weight_copy copy;
    const thaw_status status = thaw_weight_copy_for_backward(&c->copies, run, &copy);
    if (status != THAW_OK)
        return status;
    const thaw_binding bindings[] = {
        { THAW_ARGUMENT_DESTINATION_GRADIENT, run->output_gradient },
        { THAW_ARGUMENT_WEIGHTS, copy.weight },
        { THAW_ARGUMENT_SOURCE_GRADIENT, run->input_gradients[0] },
    };
    return thaw_kernel_run(c->backward_data, bindings, THAW_COUNT(bindings), copy.scratch);
}

static thaw_status backward(const thaw_layer_run *run)
{
    const conv2d *c = run->state;
    thaw_status status = c->backward_weights ? weight_gradient(run, c) : THAW_OK;
    if (c->sums_bias)
        thaw_column_sum(run->context, c->rows, c->filters, c->precision, run->output_gradient,
                        run->parameter_gradients[BIAS], run->scratch);
    if (c->copies.folds)
        thaw_fold_gradients(&c->copies.fold, run);
    if (c->residual && run->input_gradients[1])
        thaw_values_copy(run->context, c->precision, run->input_gradients[1], run->output_gradient,
                         c->rows * c->filters);
    if (status == THAW_OK && c->backward_data)
        status = input_gradient(run, c);
    return status == THAW_OK && c->low_rank ? thaw_low_rank_backward(c->low_rank, run) : status;
}

/* The gradients of a low-rank change's factors know of no channel map; and a change that is added after the layer's own
   kernel has run leaves no place for a residual. Without AVX2, depthwise kernels of oneDNN 2.6 that add a residual crash
   where its rows are not aligned to 16 bytes. */
static bool takes_epilogue(const thaw_layer_demand *demand)
{
    const thaw_epilogue *epilogue = &demand->epilogue;
    const thaw_conv2d_options *o = demand->options;
    if (epilogue->residual && o->groups > 1 && !thaw_dnn_has_avx2())
        return false;
    return (demand->low_rank.rank == 0 || !epilogue->maps_channels) &&
           (!demand->low_rank.beside || !epilogue->residual);
}

/* Of several groups of channels the change is no convolution of low rank. */
static bool takes_low_rank(const void *options)
{
    const thaw_conv2d_options *o = options;
    return o->groups <= 1;
}

const thaw_layer_module thaw_conv2d_module = {
    .name = "conv2d",
    .options_size = sizeof(thaw_conv2d_options),
    .takes_epilogue = takes_epilogue,
    .bfloat16 = THAW_BFLOAT16_CHOSEN,
    .takes_low_rank = takes_low_rank,
    .build = build,
    .prepare = prepare,
    .pack = pack,
    .unpack = unpack,
    .forward = forward,
    .backward = backward,
    .release = release,
};

thaw_status thaw_conv2d(thaw_model *model, thaw_node input, const thaw_conv2d_options *options, thaw_node *output)
{
    const thaw_conv2d_options chosen = options ? *options : (thaw_conv2d_options){ 0 };
    return thaw_model_append(model, &thaw_conv2d_module, chosen.name, &input, 1, &chosen, output);
}
