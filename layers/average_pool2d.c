/* Average-pooling of [H, W, C]. */
#include <thaw/layer_capabilities.h>

#include "layers/pool2d.h"

enum { GRAIN = 4096 };

/* If ceil mode lets a window reach beyond the padding, PyTorch divides by the elements up to the end of the padding,
   but oneDNN by the whole kernel. `correction` holds the quotient for each position of the output. */
typedef struct average_pool2d {
    thaw_kernel_pair kernels;
    size_t rows, positions, channels; /* rows: batch times positions */
    float *correction;                /* NULL: no window does */
} average_pool2d;

static thaw_status build(thaw_layer_builder *builder, const void *options)
{
    const thaw_pool2d_options *o = options;
    for (int i = 0; i < 2; i++)
        if (o->dilation[i] != 0 && o->dilation[i] != 1)
            return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT,
                                     "dilation is %lld, must be 1: only max-pooling has others",
                                     (long long)o->dilation[i]);
    return thaw_pool_build(builder, o);
}

/* Elements of a window along one axis that lie before the end of the padding. */
static int64_t inside(const thaw_window *window, const thaw_shape *input, int axis, int64_t position)
{
    const int64_t begin = position * window->stride[axis] - window->padding[axis];
    const int64_t most = input->dims[axis] + window->padding[axis] - begin;
    return most < window->kernel[axis] ? most : window->kernel[axis];
}

static thaw_status fill_correction(const thaw_layer_demand *demand, const thaw_window *fitted, average_pool2d *a)
{
    a->correction = thaw_allocate_array(demand->context, a->positions, sizeof *a->correction);
    if (!a->correction)
        return THAW_OUT_OF_MEMORY;
    const double area = (double)fitted->kernel[0] * (double)fitted->kernel[1];
    float *next = a->correction;
    for (int64_t row = 0; row < fitted->output[0]; row++)
        for (int64_t column = 0; column < fitted->output[1]; column++) {
            const double rows = (double)inside(fitted, demand->inputs, 0, row);
            *next++ = (float)(area / (rows * (double)inside(fitted, demand->inputs, 1, column)));
        }
    return THAW_OK;
}

/* The correction is only made in floats. */
static bool takes_bfloat16(const void *options, const thaw_shape *inputs, size_t input_count)
{
    const thaw_pool2d_options *o = options;
    (void)inputs, (void)input_count;
    return !o->ceil_mode || o->exclude_padding;
}

static void release(thaw_context *context, void *state)
{
    average_pool2d *a = state;
    thaw_kernel_pair_release(context, &a->kernels);
    thaw_release(context, a->correction);
    thaw_release(context, a);
}

static thaw_status create(const thaw_layer_demand *demand, average_pool2d *a, thaw_layer_needs *needs)
{
    const thaw_pool2d_options *o = demand->options;
    const thaw_window window = thaw_pool_window(o);
    thaw_window fitted = window;
    thaw_window_fit(&fitted, &demand->inputs[0]);
    a->positions = (size_t)(fitted.output[0] * fitted.output[1]);
    a->rows = (size_t)demand->batch * a->positions;
    a->channels = (size_t)demand->output.dims[2];
    const bool hangs_over =
        !o->exclude_padding && (fitted.padding_after[0] > o->padding[0] || fitted.padding_after[1] > o->padding[1]);
    thaw_status status = hangs_over ? fill_correction(demand, &fitted, a) : THAW_OK;
    if (status == THAW_OK)
        status =
            thaw_pool_create(demand, window, o->exclude_padding ? THAW_POOLING_AVERAGE_INSIDE : THAW_POOLING_AVERAGE,
                             &a->kernels, needs);
    return status;
}

/* Backward keeps a corrected copy of the output's gradient at the beginning of scratch. */
static size_t copy_bytes(const average_pool2d *a)
{
    return a->correction && a->kernels.backward ? thaw_align(a->rows * a->channels * sizeof(float)) : 0;
}

static thaw_status prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    average_pool2d *a = thaw_allocate(demand->context, sizeof *a);
    if (!a)
        return THAW_OUT_OF_MEMORY;
    const thaw_status status = create(demand, a, needs);
    if (status != THAW_OK) {
        release(demand->context, a);
        return status;
    }
    needs->state = a;
    needs->scratch_bytes += copy_bytes(a);
    return THAW_OK;
}

typedef struct correction {
    const average_pool2d *layer;
    const float *source;
    float *destination; /* may be `source` */
} correction;

static void correct_rows(void *argument, size_t begin, size_t end)
{
    const correction *c = argument;
    const size_t channels = c->layer->channels;
    for (size_t row = begin; row < end; row++) {
        const float factor = c->layer->correction[row % c->layer->positions];
        for (size_t i = row * channels; i < (row + 1) * channels; i++)
            c->destination[i] = c->source[i] * factor;
    }
}

static void correct(const thaw_layer_run *run, const average_pool2d *a, const float *source, float *destination)
{
    correction c = { a, source, destination };
    thaw_parallel_for(run->context, a->rows, a->channels < GRAIN ? GRAIN / a->channels : 1, correct_rows, &c);
}

static thaw_status forward(const thaw_layer_run *run)
{
    const average_pool2d *a = run->state;
    const thaw_status status = thaw_pool_forward(&a->kernels, run);
    if (status == THAW_OK && a->correction)
        correct(run, a, run->output, run->output);
    return status;
}

static thaw_status backward(const thaw_layer_run *run)
{
    const average_pool2d *a = run->state;
    if (!a->correction)
        return thaw_pool_backward(&a->kernels, run, run->output_gradient, run->scratch);
    char *scratch = run->scratch;
    correct(run, a, run->output_gradient, run->scratch);
    return thaw_pool_backward(&a->kernels, run, run->scratch, scratch + copy_bytes(a));
}

/* Elements of the padding count, unless they are to be left out; those that a window reaches beyond it never do. In ONNX
   either all do or none. */
static thaw_status export_onnx(const thaw_layer_export *layer)
{
    const thaw_pool2d_options *o = layer->options;
    const bool pads = o->padding[0] > 0 || o->padding[1] > 0;
    thaw_window window = thaw_pool_window(o);
    thaw_onnx_value *x = thaw_onnx_input(layer, 0, THAW_CHANNELS_FIRST);
    thaw_window_fit(&window, &layer->inputs[0]);
    if (!o->exclude_padding && pads) {
        x = thaw_pool_export_padding(layer, x, o->padding, o->padding, 0);
        for (int i = 0; i < 2; i++) {
            const int64_t beyond = window.padding_after[i] - o->padding[i];
            window.padding_before[i] = 0;
            window.padding_after[i] = beyond > 0 ? beyond : 0;
        }
    }
    thaw_onnx_operator operation = thaw_window_export(&window, "AveragePool");
    operation.attributes[3] = (thaw_onnx_attribute){ .name = "count_include_pad", .integer = 0 };
    operation.inputs[0] = x;
    return thaw_onnx_output(layer, thaw_onnx_append(layer, &operation), THAW_CHANNELS_FIRST);
}

static const thaw_layer_capabilities capabilities = {
    .size = sizeof(thaw_layer_capabilities),
    .bfloat16 = THAW_BFLOAT16_FOLLOWS,
    .takes_bfloat16 = takes_bfloat16,
};

static const thaw_layer_module module = {
    .size = sizeof(thaw_layer_module),
    .abi = THAW_LAYER_ABI,
    .name = "average_pool2d",
    .options_size = sizeof(thaw_pool2d_options),
    .capabilities = &capabilities,
    .build = build,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .release = release,
    .export_onnx = export_onnx,
};

thaw_status thaw_average_pool2d(thaw_model *model, thaw_node input, const thaw_pool2d_options *options,
                                thaw_node *output)
{
    const thaw_pool2d_options settings = options ? *options : (thaw_pool2d_options){ 0 };
    return thaw_model_append(model, &module, settings.name, &input, 1, &settings, output);
}
