/* Layer normalisation: normalises each sample, or each row of its last dimensions. Ba et al. 2016, arXiv 1607.06450. */
#include <math.h>
#include <string.h>
#include <thaw/layer_capabilities.h>
#include <thaw/layer_module.h>
#include <thaw/layers.h>

#include "kernels/bfloat16.h"
#include "kernels/row_loops.h"
#include "layers/normalisation.h"

enum { WEIGHT, BIAS };

enum {
    GRAIN = 1 << 14, /* the fewest elements of a thread */
    MOST_PARTS = 64, /* chunks of rows for parameter gradients */
    FEWEST_ROWS = 16 /* of a chunk */
};

typedef struct layer_norm {
    size_t rows, columns;
    double epsilon;
    thaw_dtype precision;
    bool weight, bias;
    float plain[]; /* a row of ones for a missing weight, then a row of zeros for a missing bias */
} layer_norm;

/* ---- building ---- */

/* The last dimensions, which are normalised together. */
static thaw_shape last_dimensions(const thaw_shape *input, int count)
{
    thaw_shape shape = { .rank = count };
    for (int i = 0; i < count; i++)
        shape.dims[i] = input->dims[input->rank - count + i];
    return shape;
}

static int chosen_dimensions(const thaw_layer_norm_options *o)
{
    return o->dimensions ? o->dimensions : 1;
}

static thaw_status build(thaw_layer_builder *builder, const void *options)
{
    const thaw_layer_norm_options *o = options;
    const thaw_shape *input = thaw_builder_input(builder, 0);
    const int dimensions = chosen_dimensions(o);
    char text[80];
    if (dimensions < 1)
        return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT, "dimensions is %d, must be at least 1", dimensions);
    if (dimensions > input->rank)
        return thaw_builder_fail(builder, THAW_SHAPE_MISMATCH,
                                 "the input has shape %s, must have at least %d dimensions",
                                 thaw_shape_format(input, text, sizeof text), dimensions);
    return thaw_normalisation_build(builder, &(thaw_normalisation){
                                                 .shape = last_dimensions(input, dimensions),
                                                 .epsilon = o->epsilon,
                                                 .no_affine = o->no_affine,
                                                 .no_bias = o->no_bias,
                                                 .initializer = o->initializer,
                                                 .bias_initializer = o->bias_initializer,
                                             });
}

/* ---- preparing ---- */

/* Rows that a thread sums together for weight and bias. It does not depend on the number of threads. */
static size_t chunk_rows(const layer_norm *l)
{
    const size_t even = (l->rows + MOST_PARTS - 1) / MOST_PARTS;
    return even > FEWEST_ROWS ? even : FEWEST_ROWS;
}

static size_t chunk_count(const layer_norm *l)
{
    return (l->rows + chunk_rows(l) - 1) / chunk_rows(l);
}

static thaw_status prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    const thaw_layer_norm_options *o = demand->options;
    const thaw_shape last = last_dimensions(&demand->output, chosen_dimensions(o));
    const size_t columns = thaw_shape_count(&last);
    layer_norm *l = thaw_allocate(demand->context, sizeof *l + 2 * columns * sizeof *l->plain);
    if (!l)
        return THAW_OUT_OF_MEMORY;
    l->columns = columns;
    l->rows = (size_t)demand->batch * (thaw_shape_count(&demand->output) / l->columns);
    l->epsilon = thaw_normalisation_epsilon(o->epsilon, o->use_epsilon);
    l->precision = demand->capabilities->precision;
    l->weight = demand->parameter_count > WEIGHT;
    l->bias = demand->parameter_count > BIAS;
    for (size_t i = 0; i < l->columns; i++)
        l->plain[i] = 1;
    const bool weight_gradient = l->weight && demand->parameter_gradient[WEIGHT];
    const bool bias_gradient = l->bias && demand->parameter_gradient[BIAS];
    const bool keeps = demand->input_gradient[0] || weight_gradient;
    needs->state = l;
    needs->workspace_bytes = keeps ? 2 * l->rows * sizeof(float) : 0;
    needs->scratch_bytes =
        ((size_t)weight_gradient + (size_t)bias_gradient) * chunk_count(l) * l->columns * sizeof(float);
    needs->keeps_inputs = keeps;
    needs->in_place = !keeps;
    needs->gradient_in_place = true;
    needs->kernel = "each row's statistics";
    return THAW_OK;
}

/* ---- running ---- */

/* One pass over the batch. */
typedef struct pass {
    const layer_norm *layer;
    const thaw_row_functions *loops;
    const void *input, *slope; /* of the layer's precision, as is the result */
    const float *weight, *bias;
    float *means, *inverses; /* of each row; NULL: not kept */
    void *result;
    float *weight_chunks, *bias_chunks; /* NULL: not wanted */
} pass;

static pass open_pass(const thaw_layer_run *run)
{
    const layer_norm *l = run->state;
    float *means = run->workspace;
    return (pass){
        .layer = l,
        .loops = THAW_FOR_LEVEL(thaw_context_cpu_level(run->context), &thaw_row_loops),
        .input = run->inputs[0],
        .slope = run->output_gradient,
        .weight = l->weight ? run->parameters[WEIGHT] : l->plain,
        .bias = l->bias ? run->parameters[BIAS] : l->plain + l->columns,
        .means = means,
        .inverses = means ? means + l->rows : NULL,
    };
}

static const void *row_at(const pass *p, const void *rows, size_t index)
{
    const size_t bytes = thaw_dtype_bytes(p->layer->precision);
    return rows ? (const char *)rows + index * p->layer->columns * bytes : NULL;
}

static thaw_row row_of(const pass *p, size_t index)
{
    return (thaw_row){
        .count = p->layer->columns,
        .precision = p->layer->precision,
        .input = row_at(p, p->input, index),
        .slope = row_at(p, p->slope, index),
        .weight = p->weight,
        .bias = p->bias,
        .mean = p->means ? p->means[index] : 0,
        .inverse = p->means ? p->inverses[index] : 0,
        .result = (void *)(uintptr_t)row_at(p, p->result, index),
    };
}

static size_t row_grain(const layer_norm *l)
{
    return GRAIN / l->columns + 1;
}

static float first_of(const thaw_row *row)
{
    return row->precision == THAW_F32 ? *(const float *)row->input
                                      : thaw_bfloat16_widen(*(const thaw_bfloat16 *)row->input);
}

static void normalise_rows(void *argument, size_t begin, size_t end)
{
    const pass *p = argument;
    const double count = (double)p->layer->columns;
    for (size_t i = begin; i < end; i++) {
        thaw_row row = row_of(p, i);
        /* Measured from the first number: the terms are as small as the deviation, however large the mean is. */
        const float first = first_of(&row);
        row.mean = (float)((double)first + p->loops->sum(&row, first) / count);
        row.inverse = (float)(1 / sqrt(p->loops->sum_squares(&row, row.mean) / count + p->layer->epsilon));
        p->loops->normalise(&row);
        if (!p->means)
            continue;
        p->means[i] = row.mean;
        p->inverses[i] = row.inverse;
    }
}

static thaw_status forward(const thaw_layer_run *run)
{
    pass p = open_pass(run);
    p.result = run->output;
    thaw_parallel_for(run->context, p.layer->rows, row_grain(p.layer), normalise_rows, &p);
    return THAW_OK;
}

/* With x' = (x - mean) * inverse and s = weight * dy: dx = inverse * (s - mean(s) - x' * mean(s x')). */
static void differentiate_rows(void *argument, size_t begin, size_t end)
{
    const pass *p = argument;
    for (size_t i = begin; i < end; i++) {
        thaw_row row = row_of(p, i);
        double slopes, products;
        p->loops->sum_slopes(&row, &slopes, &products);
        const double inverse = (double)row.inverse, scale = inverse / (double)row.count;
        row.constant = (float)(-scale * slopes);
        row.linear = (float)(-scale * inverse * inverse * products);
        p->loops->differentiate(&row);
    }
}

static void sum_chunks(void *argument, size_t begin, size_t end)
{
    const pass *p = argument;
    const size_t columns = p->layer->columns, rows = chunk_rows(p->layer);
    for (size_t chunk = begin; chunk < end; chunk++) {
        float *weight = p->weight_chunks ? p->weight_chunks + chunk * columns : NULL;
        float *bias = p->bias_chunks ? p->bias_chunks + chunk * columns : NULL;
        if (weight)
            memset(weight, 0, columns * sizeof *weight);
        if (bias)
            memset(bias, 0, columns * sizeof *bias);
        for (size_t i = chunk * rows; i < (chunk + 1) * rows && i < p->layer->rows; i++) {
            const thaw_row row = row_of(p, i);
            if (weight)
                p->loops->add_products(&row, weight);
            if (bias)
                p->loops->add_slopes(&row, bias);
        }
    }
}

static void add_chunks(const pass *p, const float *chunks, float *gradient)
{
    const size_t columns = p->layer->columns;
    memset(gradient, 0, columns * sizeof *gradient);
    for (size_t chunk = 0; chunk < chunk_count(p->layer); chunk++)
        p->loops->add_slopes(&(thaw_row){ .count = columns, .slope = chunks + chunk * columns }, gradient);
}

static void parameter_gradients(const thaw_layer_run *run, pass *p, float *weight, float *bias)
{
    const size_t chunks = chunk_count(p->layer);
    float *scratch = run->scratch;
    p->weight_chunks = weight ? scratch : NULL;
    p->bias_chunks = bias ? scratch + (weight ? chunks * p->layer->columns : 0) : NULL;
    thaw_parallel_for(run->context, chunks, 1, sum_chunks, p);
    if (weight)
        add_chunks(p, p->weight_chunks, weight);
    if (bias)
        add_chunks(p, p->bias_chunks, bias);
}

static thaw_status backward(const thaw_layer_run *run)
{
    pass p = open_pass(run);
    const layer_norm *l = p.layer;
    float *weight = l->weight ? run->parameter_gradients[WEIGHT] : NULL;
    float *bias = l->bias ? run->parameter_gradients[BIAS] : NULL;
    if (weight || bias)
        parameter_gradients(run, &p, weight, bias);
    p.result = run->input_gradients[0];
    if (p.result)
        thaw_parallel_for(run->context, l->rows, row_grain(l), differentiate_rows, &p);
    return THAW_OK;
}

static const thaw_layer_capabilities capabilities = {
    .size = sizeof(thaw_layer_capabilities),
    .bfloat16 = THAW_BFLOAT16_FOLLOWS,
};

static const thaw_layer_module module = {
    .size = sizeof(thaw_layer_module),
    .abi = THAW_LAYER_ABI,
    .name = "layer_norm",
    .options_size = sizeof(thaw_layer_norm_options),
    .capabilities = &capabilities,
    .build = build,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .release = thaw_release,
    .export_onnx = thaw_layer_norm_export,
};

thaw_status thaw_layer_norm(thaw_model *model, thaw_node input, const thaw_layer_norm_options *options,
                            thaw_node *output)
{
    const thaw_layer_norm_options settings = options ? *options : (thaw_layer_norm_options){ 0 };
    return thaw_model_append(model, &module, settings.name, &input, 1, &settings, output);
}
