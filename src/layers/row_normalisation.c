#include "layers/row_normalisation.h"

#include <math.h>
#include <string.h>

#include "kernels/bfloat16.h"
#include "kernels/row_loops.h"

enum { WEIGHT, BIAS };

enum {
    GRAIN = 1 << 14, /* the fewest elements of a thread */
    MOST_PARTS = 64, /* chunks of rows for parameter gradients */
    FEWEST_ROWS = 16 /* of a chunk */
};

typedef struct normalised_rows {
    thaw_row_kind kind;
    size_t rows, columns;
    double epsilon;
    thaw_dtype precision;
    bool weight, bias;
    float plain[]; /* a row of ones for a missing weight, then a row of zeros for a missing bias */
} normalised_rows;

/* Rows that a thread sums together for weight and bias. It does not depend on the number of threads. */
static size_t chunk_rows(const normalised_rows *l)
{
    const size_t even = (l->rows + MOST_PARTS - 1) / MOST_PARTS;
    return even > FEWEST_ROWS ? even : FEWEST_ROWS;
}

static size_t chunk_count(const normalised_rows *l)
{
    return (l->rows + chunk_rows(l) - 1) / chunk_rows(l);
}

thaw_status thaw_row_normalisation_prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs, thaw_row_kind kind,
                                           size_t columns, double epsilon)
{
    normalised_rows *l = thaw_allocate(demand->context, sizeof *l + 2 * columns * sizeof *l->plain);
    if (!l)
        return THAW_OUT_OF_MEMORY;
    l->kind = kind;
    l->columns = columns;
    l->rows = (size_t)demand->batch * (thaw_shape_count(&demand->output) / columns);
    l->epsilon = epsilon;
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
    const normalised_rows *layer;
    const thaw_row_functions *loops;
    const void *input, *slope; /* of the layer's precision, as is the result */
    const float *weight, *bias;
    float *means, *inverses; /* of each row; NULL: not kept */
    void *result;
    float *weight_chunks, *bias_chunks; /* NULL: not wanted */
} pass;

static pass open_pass(const thaw_layer_run *run)
{
    const normalised_rows *l = run->state;
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

static size_t row_grain(const normalised_rows *l)
{
    return GRAIN / l->columns + 1;
}

static float first_of(const thaw_row *row)
{
    return row->precision == THAW_F32 ? *(const float *)row->input
                                      : thaw_bfloat16_widen(*(const thaw_bfloat16 *)row->input);
}

static void measure_row(const pass *p, thaw_row *row)
{
    const double count = (double)row->count, epsilon = p->layer->epsilon;
    if (p->layer->kind == THAW_ROWS_BY_DEVIATION) {
        /* Measured from the first number: the terms are as small as the deviation, however large the mean is. */
        const float first = first_of(row);
        row->mean = (float)((double)first + p->loops->sum(row, first) / count);
        row->inverse = (float)(1 / sqrt(p->loops->sum_squares(row, row->mean) / count + epsilon));
        return;
    }
    const double squares = p->loops->sum_squares(row, 0), length = sqrt(squares);
    row->mean = 0;
    row->inverse = (float)(p->layer->kind == THAW_ROWS_BY_MEAN_SQUARE ? 1 / sqrt(squares / count + epsilon)
                                                                      : 1 / (length < epsilon ? epsilon : length));
}

static void normalise_rows(void *argument, size_t begin, size_t end)
{
    const pass *p = argument;
    for (size_t i = begin; i < end; i++) {
        thaw_row row = row_of(p, i);
        measure_row(p, &row);
        p->loops->normalise(&row);
        if (!p->means)
            continue;
        p->means[i] = row.mean;
        p->inverses[i] = row.inverse;
    }
}

thaw_status thaw_row_normalisation_forward(const thaw_layer_run *run)
{
    pass p = open_pass(run);
    p.result = run->output;
    thaw_parallel_for(run->context, p.layer->rows, row_grain(p.layer), normalise_rows, &p);
    return THAW_OK;
}

/* With x' = (x - mean) * inverse and s = weight * dy: dx = inverse * (s - mean(s) - x' * mean(s x')). Without a mean its
   term is missing; with a length the last mean is a sum, and missing where epsilon is in its place. */
static void differentiate_rows(void *argument, size_t begin, size_t end)
{
    const pass *p = argument;
    const thaw_row_kind kind = p->layer->kind;
    for (size_t i = begin; i < end; i++) {
        thaw_row row = row_of(p, i);
        double slopes, products;
        p->loops->sum_slopes(&row, &slopes, &products);
        const double inverse = (double)row.inverse;
        const double scale = kind == THAW_ROWS_BY_LENGTH ? inverse : inverse / (double)row.count;
        const bool constant = kind == THAW_ROWS_BY_LENGTH && row.inverse >= (float)(1 / p->layer->epsilon);
        row.constant = kind == THAW_ROWS_BY_DEVIATION ? (float)(-scale * slopes) : 0;
        row.linear = constant ? 0 : (float)(-scale * inverse * inverse * products);
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

thaw_status thaw_row_normalisation_backward(const thaw_layer_run *run)
{
    pass p = open_pass(run);
    const normalised_rows *l = p.layer;
    float *weight = l->weight ? run->parameter_gradients[WEIGHT] : NULL;
    float *bias = l->bias ? run->parameter_gradients[BIAS] : NULL;
    if (weight || bias)
        parameter_gradients(run, &p, weight, bias);
    p.result = run->input_gradients[0];
    if (p.result)
        thaw_parallel_for(run->context, l->rows, row_grain(l), differentiate_rows, &p);
    return THAW_OK;
}
