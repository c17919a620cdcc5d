/* The mean over the steps of a sequence, or over as many as it has. */
#include <string.h>
#include <thaw/layer_capabilities.h>
#include <thaw/layer_module.h>
#include <thaw/layers.h>

#include "kernels/bfloat16.h"
#include "layers/column_sum.h"

enum { GRAIN = 1 << 14 };

typedef struct mean {
    size_t batch, steps, channels;
    thaw_dtype precision;
    bool lengths;
} mean;

static thaw_status build(thaw_layer_builder *builder, const void *options)
{
    (void)options;
    const thaw_shape *input = thaw_builder_input(builder, 0);
    char text[80];
    if (input->rank != 2)
        return thaw_builder_fail(builder, THAW_SHAPE_MISMATCH,
                                 "the input has shape %s, must be a sequence [steps, features]",
                                 thaw_shape_format(input, text, sizeof text));
    if (thaw_builder_input_count(builder) > 1 && thaw_shape_count(thaw_builder_input(builder, 1)) != 1)
        return thaw_builder_fail(builder, THAW_SHAPE_MISMATCH, "the lengths have shape %s, must be one number",
                                 thaw_shape_format(thaw_builder_input(builder, 1), text, sizeof text));
    thaw_builder_flops(builder, (double)thaw_shape_count(input));
    return thaw_builder_output(builder, &(thaw_shape){ 1, { input->dims[1] } });
}

static thaw_status prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    if (demand->input_count > 1 && demand->input_gradient[1])
        return thaw_fail(
            demand->context, THAW_INVALID_ARGUMENT,
            "sequence_mean: a layer below the lengths trains, but they have no gradient; freeze that layer");
    mean *m = thaw_allocate(demand->context, sizeof *m);
    if (!m)
        return THAW_OUT_OF_MEMORY;
    *m = (mean){ (size_t)demand->batch, (size_t)demand->inputs[0].dims[0], (size_t)demand->inputs[0].dims[1],
                 demand->capabilities->precision, demand->input_count > 1 };
    needs->state = m;
    needs->workspace_bytes = m->lengths ? m->batch * sizeof(size_t) : 0;
    needs->scratch_bytes = m->batch * thaw_column_sum_count(m->steps, m->channels) * sizeof(double);
    needs->kernel = "mean";
    return THAW_OK;
}

/* The data of one call. */
typedef struct pass {
    const thaw_context *context;
    const mean *layer;
    const size_t *lengths; /* of each sample; NULL: all steps */
    const void *from;
    void *into;
    double *sums; /* as many as a sample has channels, and room for the loops */
} pass;

static size_t length_of(const pass *p, size_t sample)
{
    return p->lengths ? p->lengths[sample] : p->layer->steps;
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
        const size_t length = length_of(p, n);
        double *sums = p->sums + n * thaw_column_sum_count(m->steps, m->channels);
        thaw_column_sum_here(p->context, length, m->channels, m->precision,
                             (const char *)p->from + n * m->steps * row_bytes, sums);
        for (size_t c = 0; c < m->channels; c++)
            store(m, (char *)p->into + n * row_bytes, c, length ? (float)(sums[c] / (double)length) : 0);
    }
}

/* Lengths are floats, whole numbers, as every input is. */
static thaw_status read_lengths(const mean *m, const thaw_layer_run *run)
{
    const float *given = run->inputs[1];
    size_t *lengths = run->workspace;
    for (size_t n = 0; n < m->batch; n++) {
        if (!(given[n] >= 0 && given[n] <= (float)m->steps && given[n] == (float)(size_t)given[n]))
            return thaw_fail(run->context, THAW_INVALID_ARGUMENT,
                             "sequence_mean: a length is %.9g, must be a whole number from 0 to %zu", (double)given[n],
                             m->steps);
        lengths[n] = (size_t)given[n];
    }
    return THAW_OK;
}

/* The fewest samples of a thread. */
static size_t grain_of(const mean *m)
{
    return GRAIN / (m->steps * m->channels) + 1;
}

static thaw_status forward(const thaw_layer_run *run)
{
    const mean *m = run->state;
    pass p = { run->context, m, run->workspace, run->inputs[0], run->output, run->scratch };
    const thaw_status status = m->lengths ? read_lengths(m, run) : THAW_OK;
    if (status == THAW_OK)
        thaw_parallel_for(run->context, m->batch, grain_of(m), forward_samples, &p);
    return status;
}

static float value_at(const mean *m, const void *row, size_t channel)
{
    return m->precision == THAW_F32 ? ((const float *)row)[channel]
                                    : thaw_bfloat16_widen(((const thaw_bfloat16 *)row)[channel]);
}

/* All steps that count get the same gradient. */
static void backward_samples(void *argument, size_t begin, size_t end)
{
    const pass *p = argument;
    const mean *m = p->layer;
    const size_t row_bytes = m->channels * thaw_dtype_bytes(m->precision);
    for (size_t n = begin; n < end; n++) {
        const size_t length = length_of(p, n);
        const char *gradient = (const char *)p->from + n * row_bytes;
        char *first = (char *)p->into + n * m->steps * row_bytes;
        for (size_t c = 0; length && c < m->channels; c++)
            store(m, first, c, value_at(m, gradient, c) / (float)length);
        for (size_t i = 1; i < length; i++)
            memcpy(first + i * row_bytes, first, row_bytes);
        memset(first + length * row_bytes, 0, (m->steps - length) * row_bytes);
    }
}

static thaw_status backward(const thaw_layer_run *run)
{
    const mean *m = run->state;
    pass p = { .layer = m, .lengths = run->workspace, .from = run->output_gradient, .into = run->input_gradients[0] };
    if (p.into)
        thaw_parallel_for(run->context, m->batch, grain_of(m), backward_samples, &p);
    return THAW_OK;
}

/* 1 / length for the steps that count, else 0: [batch, steps, 1]. */
static thaw_onnx_value *export_shares(const thaw_layer_export *layer)
{
    const thaw_onnx_attribute type = { .name = "to", .integer = 1 }; /* FLOAT */
    const int64_t steps = layer->inputs[0].dims[0], column[] = { 0, 1, 1 };
    float *numbers = thaw_onnx_allocate(layer, (size_t)steps * sizeof *numbers);
    for (int64_t i = 0; numbers && i < steps; i++)
        numbers[i] = (float)i;
    thaw_onnx_value *lengths = thaw_onnx_input(layer, 1, THAW_CHANNELS_LAST);
    lengths = thaw_onnx_apply(layer, "Reshape", lengths, thaw_onnx_integers(layer, column, 3), NULL);
    thaw_onnx_value *places = thaw_onnx_floats(layer, &(thaw_shape){ 3, { 1, steps, 1 } }, numbers);
    thaw_onnx_value *counts = thaw_onnx_apply(layer, "Less", places, lengths, NULL);
    counts = thaw_onnx_apply(layer, "Cast", counts, NULL, &type);
    return thaw_onnx_apply(layer, "Div", counts, lengths, NULL);
}

static thaw_status export_onnx(const thaw_layer_export *layer)
{
    const thaw_onnx_attribute steps = { .name = "axes", .kind = THAW_ONNX_INTEGERS, .integers = { 1 }, .count = 1 };
    const int64_t axis = 1;
    thaw_onnx_value *x = thaw_onnx_input(layer, 0, THAW_CHANNELS_LAST);
    if (layer->input_count > 1) {
        x = thaw_onnx_apply(layer, "Mul", x, export_shares(layer), NULL);
        x = thaw_onnx_apply(layer, "ReduceSum", x, thaw_onnx_integers(layer, &axis, 1), NULL);
    } else {
        x = thaw_onnx_apply(layer, "ReduceMean", x, NULL, &steps);
    }
    x = thaw_onnx_apply(layer, "Squeeze", x, thaw_onnx_integers(layer, &axis, 1), NULL);
    return thaw_onnx_output(layer, x, THAW_CHANNELS_LAST);
}

/* The lengths. */
static uint32_t keeps_floats(const void *options, size_t input_count)
{
    (void)options;
    return input_count > 1 ? 1U << 1 : 0;
}

static const thaw_layer_capabilities capabilities = {
    .size = sizeof(thaw_layer_capabilities),
    .bfloat16 = THAW_BFLOAT16_FOLLOWS,
    .keeps_floats = keeps_floats,
};

static const thaw_layer_module module = {
    THAW_LAYER_MODULE_HEAD,
    .name = "sequence_mean",
    .options_size = sizeof(thaw_sequence_mean_options),
    .capabilities = &capabilities,
    .build = build,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .release = thaw_release,
    .export_onnx = export_onnx,
};

thaw_status thaw_sequence_mean(thaw_model *model, thaw_node input, const thaw_sequence_mean_options *options,
                               thaw_node *output)
{
    thaw_sequence_mean_options settings = options ? *options : (thaw_sequence_mean_options){ 0 };
    const thaw_node inputs[] = { input, settings.lengths ? *settings.lengths : 0 };
    const size_t count = settings.lengths ? 2 : 1;
    settings.lengths = NULL; /* the caller's */
    return thaw_model_append(model, &module, settings.name, inputs, count, &settings, output);
}
