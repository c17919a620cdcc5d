/* The mean over height and width: [H, W, C] to [C]. Sums are in doubles: oneDNN's pooling adds all positions in
   floats, which has an error of 2e-6 for a map of 64x64. */
#include <string.h>
#include <thaw/layer_capabilities.h>
#include <thaw/layer_module.h>
#include <thaw/layers.h>

#include "kernels/bfloat16.h"
#include "layers/column_sum.h"

enum { GRAIN = 1 << 14 };

typedef struct mean {
    size_t batch, area, channels;
    thaw_dtype precision;
} mean;

static thaw_status build(thaw_layer_builder *builder, const void *options)
{
    (void)options;
    const thaw_shape *input = thaw_builder_input(builder, 0);
    char text[80];
    if (input->rank != 3)
        return thaw_builder_fail(builder, THAW_SHAPE_MISMATCH,
                                 "the input has shape %s, must be [height, width, channels]",
                                 thaw_shape_format(input, text, sizeof text));
    thaw_builder_flops(builder, (double)thaw_shape_count(input));
    return thaw_builder_output(builder, &(thaw_shape){ 1, { input->dims[2] } });
}

static thaw_status prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    const int64_t *input = demand->inputs[0].dims;
    needs->identity = input[0] * input[1] == 1;
    if (needs->identity)
        return THAW_OK;
    mean *m = thaw_allocate(demand->context, sizeof *m);
    if (!m)
        return THAW_OUT_OF_MEMORY;
    *m = (mean){ (size_t)demand->batch, (size_t)(input[0] * input[1]), (size_t)input[2],
                 demand->capabilities->precision };
    needs->state = m;
    needs->scratch_bytes = m->batch * thaw_column_sum_count(m->area, m->channels) * sizeof(double);
    needs->kernel = "mean";
    return THAW_OK;
}

typedef struct pass {
    const thaw_context *context;
    const mean *layer;
    const void *from;
    void *into;
    double *sums; /* thaw_column_sum_count for each sample */
} pass;

/* The fewest samples of a thread. */
static size_t grain_of(const mean *m)
{
    return GRAIN / (m->area * m->channels) + 1;
}

static void store(const mean *m, void *row, size_t channel, float value)
{
    if (m->precision == THAW_F32)
        ((float *)row)[channel] = value;
    else
        ((thaw_bfloat16 *)row)[channel] = thaw_bfloat16_round(value);
}

static void forward_samples(void *argument, size_t begin, size_t end)
{
    const pass *p = argument;
    const mean *m = p->layer;
    const size_t row_bytes = m->channels * thaw_dtype_bytes(m->precision);
    for (size_t n = begin; n < end; n++) {
        double *sums = p->sums + n * thaw_column_sum_count(m->area, m->channels);
        thaw_column_sum_here(p->context, m->area, m->channels, m->precision,
                             (const char *)p->from + n * m->area * row_bytes, sums);
        for (size_t c = 0; c < m->channels; c++)
            store(m, (char *)p->into + n * row_bytes, c, (float)(sums[c] / (double)m->area));
    }
}

static thaw_status forward(const thaw_layer_run *run)
{
    const mean *m = run->state;
    pass p = { run->context, m, run->inputs[0], run->output, run->scratch };
    thaw_parallel_for(run->context, m->batch, grain_of(m), forward_samples, &p);
    return THAW_OK;
}

/* All positions of a sample get the same gradient. */
static void backward_samples(void *argument, size_t begin, size_t end)
{
    const pass *p = argument;
    const mean *m = p->layer;
    const size_t row_bytes = m->channels * thaw_dtype_bytes(m->precision);
    for (size_t n = begin; n < end; n++) {
        const char *gradient = (const char *)p->from + n * row_bytes;
        char *first = (char *)p->into + n * m->area * row_bytes;
        for (size_t c = 0; c < m->channels; c++) {
            const float value = m->precision == THAW_F32
                                    ? ((const float *)(const void *)gradient)[c]
                                    : thaw_bfloat16_widen(((const thaw_bfloat16 *)(const void *)gradient)[c]);
            store(m, first, c, value / (float)m->area);
        }
        for (size_t i = 1; i < m->area; i++)
            memcpy(first + i * row_bytes, first, row_bytes);
    }
}

static thaw_status backward(const thaw_layer_run *run)
{
    const mean *m = run->state;
    pass p = { .layer = m, .from = run->output_gradient, .into = run->input_gradients[0] };
    if (p.into)
        thaw_parallel_for(run->context, m->batch, grain_of(m), backward_samples, &p);
    return THAW_OK;
}

static thaw_status export_onnx(const thaw_layer_export *layer)
{
    const thaw_onnx_attribute axis = { .name = "axis", .integer = 1 };
    thaw_onnx_value *x = thaw_onnx_input(layer, 0, THAW_CHANNELS_FIRST);
    x = thaw_onnx_apply(layer, "GlobalAveragePool", x, NULL, NULL);
    x = thaw_onnx_apply(layer, "Flatten", x, NULL, &axis);
    return thaw_onnx_output(layer, x, THAW_CHANNELS_LAST);
}

static const thaw_layer_capabilities capabilities = {
    .size = sizeof(thaw_layer_capabilities),
    .bfloat16 = THAW_BFLOAT16_FOLLOWS,
};

static const thaw_layer_module module = {
    .size = sizeof(thaw_layer_module),
    .abi = THAW_LAYER_ABI,
    .name = "global_average_pool2d",
    .options_size = sizeof(thaw_simple_options),
    .capabilities = &capabilities,
    .build = build,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .release = thaw_release,
    .export_onnx = export_onnx,
};

thaw_status thaw_global_average_pool2d(thaw_model *model, thaw_node input, const thaw_simple_options *options,
                                       thaw_node *output)
{
    const thaw_simple_options settings = options ? *options : (thaw_simple_options){ 0 };
    return thaw_model_append(model, &module, settings.name, &input, 1, &settings, output);
}
