/* Group normalisation: normalises groups of a sample's channels over all its places. Wu & He 2018, arXiv 1803.08494. */
#include <math.h>
#include <thaw/layer_capabilities.h>
#include <thaw/layer_module.h>
#include <thaw/layers.h>

#include "layers/normalisation.h"
#include "layers/sample_passes.h"

enum { WEIGHT, BIAS };

typedef struct group_norm {
    thaw_samples shape;
    size_t groups, width; /* channels of a group */
    size_t values;        /* of a group in a sample */
    double epsilon;
    thaw_dtype precision;
    bool weight, bias;
} group_norm;

/* ---- building and preparing ---- */

static thaw_status build(thaw_layer_builder *builder, const void *options)
{
    const thaw_group_norm_options *o = options;
    const thaw_shape *input = thaw_builder_input(builder, 0);
    if (input->rank < 1)
        return thaw_builder_fail(builder, THAW_SHAPE_MISMATCH, "the input is a number, must be [..., channels]");
    const int64_t channels = input->dims[input->rank - 1];
    if (o->groups < 1 || channels % o->groups)
        return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT, "groups is %lld, must divide %lld channels",
                                 (long long)o->groups, (long long)channels);
    return thaw_normalisation_build(builder, &(thaw_normalisation){
                                                 .shape = { 1, { channels } },
                                                 .epsilon = o->epsilon,
                                                 .no_affine = o->no_affine,
                                                 .initializer = o->initializer,
                                                 .bias_initializer = o->bias_initializer,
                                             });
}

static size_t matrix_count(const group_norm *g)
{
    return g->shape.samples * g->shape.channels;
}

static thaw_status prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    const thaw_group_norm_options *o = demand->options;
    group_norm *g = thaw_allocate(demand->context, sizeof *g);
    if (!g)
        return THAW_OUT_OF_MEMORY;
    g->shape.samples = (size_t)demand->batch;
    g->shape.channels = (size_t)demand->output.dims[demand->output.rank - 1];
    g->shape.places = thaw_shape_count(&demand->output) / g->shape.channels;
    g->groups = (size_t)o->groups;
    g->width = g->shape.channels / g->groups;
    g->values = g->shape.places * g->width;
    g->epsilon = thaw_normalisation_epsilon(o->epsilon, o->use_epsilon);
    g->precision = demand->capabilities->precision;
    g->weight = demand->parameter_count > WEIGHT;
    g->bias = demand->parameter_count > BIAS;
    const bool keeps = demand->input_gradient[0] || (g->weight && demand->parameter_gradient[WEIGHT]);
    needs->state = g;
    needs->workspace_bytes = keeps ? 2 * matrix_count(g) * sizeof(float) : 0;
    needs->scratch_bytes = 2 * thaw_sample_sums(&g->shape) * sizeof(double) + 4 * matrix_count(g) * sizeof(float);
    needs->keeps_inputs = keeps;
    needs->in_place = !keeps;
    needs->gradient_in_place = true;
    needs->kernel = "each sample's statistics";
    return THAW_OK;
}

/* ---- sums of groups ---- */

static thaw_sample_pass pass_of(const group_norm *g)
{
    return (thaw_sample_pass){ .shape = g->shape,
                               .batch = { .channels = g->shape.channels, .precision = g->precision } };
}

static double total_of_group(const group_norm *g, const double *partial, size_t sample, size_t group)
{
    double sum = 0;
    for (size_t c = group * g->width; c < (group + 1) * g->width; c++)
        sum += thaw_sample_total(&g->shape, partial, sample, c);
    return sum;
}

/* Writes a number for each channel of a group. */
static void spread(const group_norm *g, float *rows, size_t sample, size_t group, double value)
{
    for (size_t c = group * g->width; c < (group + 1) * g->width; c++)
        rows[sample * g->shape.channels + c] = (float)value;
}

/* ---- forward ---- */

static float weight_of(const group_norm *g, const thaw_layer_run *run, size_t channel)
{
    return g->weight ? run->parameters[WEIGHT][channel] : 1;
}

/* scale = weight * inverse. */
static void fill_scale(const group_norm *g, const thaw_layer_run *run, const float *inverse, float *scale)
{
    for (size_t i = 0; i < matrix_count(g); i++)
        scale[i] = weight_of(g, run, i % g->shape.channels) * inverse[i];
}

static void measure(const thaw_layer_run *run, const group_norm *g, double *partial, float *mean, float *inverse)
{
    const double count = (double)g->values;
    thaw_sample_pass p = pass_of(g);
    p.sums = partial;
    p.batch.output_gradient = run->inputs[0];
    thaw_samples_reduce(run->context, &p);
    for (size_t i = 0; i < g->shape.samples * g->groups; i++)
        spread(g, mean, i / g->groups, i % g->groups, total_of_group(g, partial, i / g->groups, i % g->groups) / count);
    p.batch.input = run->inputs[0];
    p.batch.shift = mean;
    p.products = partial + thaw_sample_sums(&g->shape);
    thaw_samples_measure(run->context, &p);
    for (size_t i = 0; i < g->shape.samples * g->groups; i++)
        spread(g, inverse, i / g->groups, i % g->groups,
               1 / sqrt(total_of_group(g, p.products, i / g->groups, i % g->groups) / count + g->epsilon));
}

static thaw_status forward(const thaw_layer_run *run)
{
    const group_norm *g = run->state;
    double *partial = run->scratch;
    float *scale = (float *)(partial + 2 * thaw_sample_sums(&g->shape)), *shift = scale + matrix_count(g);
    float *spare = shift + matrix_count(g);
    float *mean = run->workspace ? run->workspace : spare, *inverse = mean + matrix_count(g);
    measure(run, g, partial, mean, inverse);
    fill_scale(g, run, inverse, scale);
    for (size_t i = 0; i < matrix_count(g); i++)
        shift[i] = g->bias ? run->parameters[BIAS][i % g->shape.channels] : 0;
    thaw_sample_pass p = pass_of(g);
    p.batch.input = run->inputs[0];
    p.batch.mean = mean;
    p.batch.scale = scale;
    p.batch.shift = shift;
    p.batch.output = run->output;
    thaw_samples_normalise(run->context, &p);
    return THAW_OK;
}

/* ---- backward ---- */

static void parameter_gradients(const group_norm *g, const thaw_sample_pass *p, const float *inverse, float *weight,
                                float *bias)
{
    for (size_t c = 0; c < g->shape.channels; c++) {
        double slopes = 0, products = 0;
        for (size_t n = 0; n < g->shape.samples; n++) {
            slopes += bias ? thaw_sample_total(&g->shape, p->sums, n, c) : 0;
            products +=
                weight ? thaw_sample_total(&g->shape, p->products, n, c) * (double)inverse[n * g->shape.channels + c]
                       : 0;
        }
        if (weight)
            weight[c] = (float)products;
        if (bias)
            bias[c] = (float)slopes;
    }
}

/* With x' = (x - mean) * inverse and s = weight * dy: dx = inverse * (s - mean(s) - x' * mean(s x')). */
static void fill_terms(const group_norm *g, const thaw_layer_run *run, const thaw_sample_pass *p, const float *inverse,
                       float *constant, float *linear)
{
    for (size_t i = 0; i < g->shape.samples * g->groups; i++) {
        const size_t sample = i / g->groups, group = i % g->groups;
        const double own = (double)inverse[sample * g->shape.channels + group * g->width];
        double slopes = 0, products = 0;
        for (size_t c = group * g->width; c < (group + 1) * g->width; c++) {
            slopes += (double)weight_of(g, run, c) * thaw_sample_total(&g->shape, p->sums, sample, c);
            products += (double)weight_of(g, run, c) * thaw_sample_total(&g->shape, p->products, sample, c);
        }
        spread(g, constant, sample, group, -own * slopes / (double)g->values);
        spread(g, linear, sample, group, -own * own * own * products / (double)g->values);
    }
}

static thaw_status backward(const thaw_layer_run *run)
{
    const group_norm *g = run->state;
    float *weight = g->weight ? run->parameter_gradients[WEIGHT] : NULL;
    float *bias = g->bias ? run->parameter_gradients[BIAS] : NULL, *into = run->input_gradients[0];
    const float *mean = run->workspace, *inverse = mean ? mean + matrix_count(g) : NULL;
    double *partial = run->scratch;
    float *scale = (float *)(partial + 2 * thaw_sample_sums(&g->shape)), *constant = scale + matrix_count(g);
    float *linear = constant + matrix_count(g);
    thaw_sample_pass p = pass_of(g);
    p.sums = partial;
    p.batch.output_gradient = run->output_gradient;
    p.batch.mean = mean;
    p.batch.input = into || weight ? run->inputs[0] : NULL;
    p.products = into || weight ? partial + thaw_sample_sums(&g->shape) : NULL;
    thaw_samples_reduce(run->context, &p);
    if (weight || bias)
        parameter_gradients(g, &p, inverse, weight, bias);
    if (!into)
        return THAW_OK;
    fill_terms(g, run, &p, inverse, constant, linear);
    fill_scale(g, run, inverse, scale);
    p.batch.gradient = into;
    p.batch.scale = scale;
    p.batch.gradient_shift = constant;
    p.batch.gradient_rate = linear;
    thaw_samples_differentiate(run->context, &p);
    return THAW_OK;
}

static const thaw_layer_capabilities capabilities = {
    .size = sizeof(thaw_layer_capabilities),
    .bfloat16 = THAW_BFLOAT16_FOLLOWS,
};

static const thaw_layer_module module = {
    .size = sizeof(thaw_layer_module),
    .abi = THAW_LAYER_ABI,
    .name = "group_norm",
    .options_size = sizeof(thaw_group_norm_options),
    .capabilities = &capabilities,
    .build = build,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .release = thaw_release,
    .export_onnx = thaw_group_norm_export,
};

thaw_status thaw_group_norm(thaw_model *model, thaw_node input, const thaw_group_norm_options *options,
                            thaw_node *output)
{
    const thaw_group_norm_options settings = options ? *options : (thaw_group_norm_options){ 0 };
    return thaw_model_append(model, &module, settings.name, &input, 1, &settings, output);
}
