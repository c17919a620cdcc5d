/* Max-pooling of [H, W, C]. */
#include <math.h>
#include <thaw/layer_capabilities.h>

#include "kernels/bfloat16.h"
#include "layers/pool2d.h"

static thaw_status build(thaw_layer_builder *builder, const void *options)
{
    const thaw_pool2d_options *o = options;
    if (o->exclude_padding)
        return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT, "exclude_padding is for average-pooling");
    return thaw_pool_build(builder, o);
}

/* oneDNN gives the least float for a window that is only padding. `outside` tells which windows are, for each
   position of the output. */
typedef struct max_pool2d {
    thaw_kernel_pair kernels;
    bool *outside; /* NULL: none */
    size_t batch, positions, channels;
    thaw_dtype precision;
} max_pool2d;

static bool lies_outside(const thaw_window *window, const thaw_shape *input, int axis, int64_t position)
{
    const int64_t begin = position * window->stride[axis] - window->padding_before[axis];
    for (int64_t k = 0; k < window->kernel[axis]; k++) {
        const int64_t at = begin + k * window->dilation[axis];
        if (at >= 0 && at < input->dims[axis])
            return false;
    }
    return true;
}

static thaw_status find_outside(const thaw_layer_demand *demand, max_pool2d *m)
{
    const thaw_shape *input = &demand->inputs[0];
    thaw_window window = thaw_pool_window(demand->options);
    thaw_window_fit(&window, input);
    m->outside = thaw_allocate_array(demand->context, m->positions, sizeof *m->outside);
    if (!m->outside)
        return THAW_OUT_OF_MEMORY;
    bool any = false;
    for (size_t i = 0; i < m->positions; i++) {
        const int64_t at = (int64_t)i;
        m->outside[i] = lies_outside(&window, input, 0, at / window.output[1]) ||
                        lies_outside(&window, input, 1, at % window.output[1]);
        any = any || m->outside[i];
    }
    if (any)
        return THAW_OK;
    thaw_release(demand->context, m->outside);
    m->outside = NULL;
    return THAW_OK;
}

static void release(thaw_context *context, void *state)
{
    max_pool2d *m = state;
    thaw_kernel_pair_release(context, &m->kernels);
    thaw_release(context, m->outside);
    thaw_release(context, m);
}

static thaw_status prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    max_pool2d *m = thaw_allocate(demand->context, sizeof *m);
    if (!m)
        return THAW_OUT_OF_MEMORY;
    m->batch = (size_t)demand->batch;
    m->positions = (size_t)(demand->output.dims[0] * demand->output.dims[1]);
    m->channels = (size_t)demand->output.dims[2];
    m->precision = demand->capabilities->precision;
    thaw_status status = find_outside(demand, m);
    if (status == THAW_OK)
        status = thaw_pool_create(demand, thaw_pool_window(demand->options), THAW_POOLING_MAX, &m->kernels, needs);
    if (status == THAW_OK)
        needs->state = m;
    else
        release(demand->context, m);
    return status;
}

static void fill_outside(const max_pool2d *m, void *output)
{
    const thaw_bfloat16 bf16 = thaw_bfloat16_round(-INFINITY);
    for (size_t row = 0; row < m->batch * m->positions; row++)
        for (size_t i = row * m->channels; m->outside[row % m->positions] && i < (row + 1) * m->channels; i++)
            if (m->precision == THAW_F32)
                ((float *)output)[i] = -INFINITY;
            else
                ((thaw_bfloat16 *)output)[i] = bf16;
}

static thaw_status forward(const thaw_layer_run *run)
{
    const max_pool2d *m = run->state;
    const thaw_status status = thaw_pool_forward(&m->kernels, run);
    if (status == THAW_OK && m->outside)
        fill_outside(m, run->output);
    return status;
}

static thaw_status backward(const thaw_layer_run *run)
{
    const max_pool2d *m = run->state;
    return thaw_pool_backward(&m->kernels, run, run->output_gradient, run->scratch);
}

/* ONNX Runtime refuses a padding of the kernel's size or more, which dilation can need in ceil mode. */
static thaw_status export_onnx(const thaw_layer_export *layer)
{
    thaw_window window = thaw_pool_window(layer->options);
    thaw_onnx_value *x = thaw_onnx_input(layer, 0, THAW_CHANNELS_FIRST);
    thaw_window_fit(&window, &layer->inputs[0]);
    if (window.padding_after[0] >= window.kernel[0] || window.padding_after[1] >= window.kernel[1]) {
        x = thaw_pool_export_padding(layer, x, window.padding_before, window.padding_after, -INFINITY);
        for (int i = 0; i < 2; i++)
            window.padding_before[i] = window.padding_after[i] = 0;
    }
    thaw_onnx_operator operation = thaw_window_export(&window, "MaxPool");
    operation.inputs[0] = x;
    return thaw_onnx_output(layer, thaw_onnx_append(layer, &operation), THAW_CHANNELS_FIRST);
}

static const thaw_layer_capabilities capabilities = {
    .size = sizeof(thaw_layer_capabilities),
    .bfloat16 = THAW_BFLOAT16_FOLLOWS,
};

static const thaw_layer_module module = {
    .size = sizeof(thaw_layer_module),
    .abi = THAW_LAYER_ABI,
    .name = "max_pool2d",
    .options_size = sizeof(thaw_pool2d_options),
    .capabilities = &capabilities,
    .build = build,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .release = release,
    .export_onnx = export_onnx,
};

thaw_status thaw_max_pool2d(thaw_model *model, thaw_node input, const thaw_pool2d_options *options, thaw_node *output)
{
    const thaw_pool2d_options settings = options ? *options : (thaw_pool2d_options){ 0 };
    return thaw_model_append(model, &module, settings.name, &input, 1, &settings, output);
}
