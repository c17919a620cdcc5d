#include "normalisation.h"

#include <math.h>
#include <string.h>

#include "core/allocation.h"

enum { WEIGHT, BIAS };

enum {
    GRAIN = 1 << 14, /* elements that a thread takes on at least */
    LANES = 16,      /* sums that run side by side, so that the compiler may use vectors */
    RUN = 1024,      /* elements summed in floats; sums of such runs are doubles */
    MOST_PARTS = 64, /* into which parameter gradients are cut, whatever the thread count */
    FEWEST_ROWS = 16 /* of such a part */
};

typedef struct normalisation {
    thaw_normalisation problem;
    size_t width;   /* channels of a group */
    size_t entries; /* samples times groups: each has a mean */
    size_t count;   /* values of each */
    bool weight, bias, keeps;
    float *plain; /* a row of ones for a weight, and one of zeros for a bias that are not there */
} normalisation;

/* ---- building ---- */

thaw_status thaw_normalisation_build(thaw_layer_builder *builder, const thaw_normalisation_parameters *parameters)
{
    if (!(parameters->epsilon >= 0 && isfinite(parameters->epsilon)))
        return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT, "epsilon is %g, wanted 0 or more",
                                 parameters->epsilon);
    const thaw_parameter_specification weight = {
        .name = "weight", .role = THAW_SCALE, .shape = parameters->shape, .initializer = THAW_INITIAL_ONE
    };
    const thaw_parameter_specification bias = {
        .name = "bias", .role = THAW_SHIFT, .shape = parameters->shape, .initializer = THAW_INITIAL_ZERO
    };
    const thaw_shape *input = thaw_builder_input(builder, 0);
    thaw_builder_flops(builder, 8 * (double)thaw_shape_count(input));
    thaw_status status = parameters->no_affine ? THAW_OK : thaw_builder_parameter(builder, &weight);
    if (status == THAW_OK && !parameters->no_affine && !parameters->no_bias)
        status = thaw_builder_parameter(builder, &bias);
    return status == THAW_OK ? thaw_builder_output(builder, input) : status;
}

/* ---- preparing ---- */

static size_t part_samples(const thaw_normalisation *p)
{
    const size_t even = (p->samples + MOST_PARTS - 1) / MOST_PARTS;
    const size_t fewest = (FEWEST_ROWS + p->places - 1) / p->places;
    return even > fewest ? even : fewest;
}

static size_t part_count(const thaw_normalisation *p)
{
    return (p->samples + part_samples(p) - 1) / part_samples(p);
}

static thaw_status fill_plain(thaw_context *context, normalisation *n)
{
    n->plain = thaw_allocate_array(context, 2 * n->problem.channels, sizeof *n->plain);
    for (size_t c = 0; n->plain && c < n->problem.channels; c++)
        n->plain[c] = 1;
    return n->plain ? THAW_OK : THAW_OUT_OF_MEMORY;
}

void thaw_normalisation_release(thaw_context *context, void *state)
{
    normalisation *n = state;
    thaw_release(context, n->plain);
    thaw_release(context, n);
}

thaw_status thaw_normalisation_prepare(const thaw_layer_demand *demand, const thaw_normalisation *problem,
                                       thaw_layer_needs *needs)
{
    normalisation *n = thaw_allocate(demand->context, sizeof *n);
    if (!n)
        return THAW_OUT_OF_MEMORY;
    n->problem = *problem;
    n->problem.epsilon = problem->epsilon > 0 ? problem->epsilon : 1e-5;
    n->width = problem->channels / problem->groups;
    n->entries = problem->samples * problem->groups;
    n->count = problem->places * n->width;
    n->weight = demand->parameter_count > WEIGHT;
    n->bias = demand->parameter_count > BIAS;
    const bool weight_gradient = n->weight && demand->parameter_gradient[WEIGHT];
    const bool bias_gradient = n->bias && demand->parameter_gradient[BIAS];
    n->keeps = demand->input_gradient[0] || weight_gradient;
    const size_t rows = (size_t)weight_gradient + (size_t)bias_gradient;
    needs->state = n;
    needs->workspace_bytes = n->keeps ? 2 * n->entries * sizeof(float) : 0;
    needs->scratch_bytes = rows * part_count(problem) * problem->channels * sizeof(float);
    needs->keeps_inputs = n->keeps;
    needs->in_place = !n->keeps;
    needs->gradient_in_place = true;
    needs->kernel = "each sample's statistics";
    const thaw_status status = fill_plain(demand->context, n);
    if (status != THAW_OK)
        thaw_normalisation_release(demand->context, n);
    return status;
}

/* ---- sums over a group ---- */

static double add_lanes(const float *lanes)
{
    double sum = 0;
    for (size_t k = 0; k < LANES; k++)
        sum += (double)lanes[k];
    return sum;
}

static double sum_distances(const float *x, float from, size_t count)
{
    float lanes[LANES] = { 0 };
    size_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (size_t k = 0; k < LANES; k++)
            lanes[k] += x[i + k] - from;
    for (size_t k = 0; i + k < count; k++)
        lanes[k] += x[i + k] - from;
    return add_lanes(lanes);
}

static double sum_squares(const float *x, float mean, size_t count)
{
    float lanes[LANES] = { 0 };
    size_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (size_t k = 0; k < LANES; k++)
            lanes[k] += (x[i + k] - mean) * (x[i + k] - mean);
    for (size_t k = 0; i + k < count; k++)
        lanes[k] += (x[i + k] - mean) * (x[i + k] - mean);
    return add_lanes(lanes);
}

/* Of the slopes, weighted, and of their products with what is centred. */
static void sum_slopes(const float *slope, const float *weight, const float *x, float mean, size_t count,
                       double *slopes, double *products)
{
    float plain[LANES] = { 0 }, times[LANES] = { 0 };
    size_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (size_t k = 0; k < LANES; k++) {
            const float own = slope[i + k] * weight[i + k];
            plain[k] += own;
            times[k] += own * (x[i + k] - mean);
        }
    for (size_t k = 0; i + k < count; k++) {
        const float own = slope[i + k] * weight[i + k];
        plain[k] += own;
        times[k] += own * (x[i + k] - mean);
    }
    *slopes += add_lanes(plain);
    *products += add_lanes(times);
}

/* ---- running ---- */

/* One pass over the batch. */
typedef struct pass {
    const normalisation *layer;
    const float *input, *slope;
    const float *weight, *bias;
    float *means, *inverses; /* of each entry; NULL: not kept */
    float *destination;      /* may be `input` forward, `slope` backward */
    float *weight_parts, *bias_parts;
} pass;

/* Of the arrays of a batch, where an entry begins; it goes on in runs of `width` values, `channels` apart. */
static size_t entry_start(const normalisation *n, size_t entry)
{
    const size_t sample = entry / n->problem.groups, group = entry % n->problem.groups;
    return sample * n->problem.places * n->problem.channels + group * n->width;
}

static size_t entry_grain(const normalisation *n)
{
    return GRAIN / n->count + 1;
}

static size_t run_length(const normalisation *n, size_t channel)
{
    return n->width - channel < RUN ? n->width - channel : RUN;
}

/* The mean of the distances of an entry's values from one, or of their squares. */
static double mean_distance(const normalisation *n, const float *x, float from, bool squared)
{
    double sum = 0;
    for (size_t place = 0; place < n->problem.places; place++, x += n->problem.channels)
        for (size_t c = 0; c < n->width; c += RUN)
            sum += squared ? sum_squares(x + c, from, run_length(n, c)) : sum_distances(x + c, from, run_length(n, c));
    return sum / (double)n->count;
}

static void normalise_entries(void *argument, size_t begin, size_t end)
{
    const pass *p = argument;
    const normalisation *n = p->layer;
    for (size_t entry = begin; entry < end; entry++) {
        const size_t start = entry_start(n, entry), channel = entry % n->problem.groups * n->width;
        const float *x = p->input + start, *weight = p->weight + channel, *bias = p->bias + channel;
        float *y = p->destination + start;
        /* From the first value: sums of numbers of the deviation's size, however large the mean is. */
        const float mean = (float)((double)x[0] + mean_distance(n, x, x[0], false));
        const float inverse = (float)(1 / sqrt(mean_distance(n, x, mean, true) + n->problem.epsilon));
        for (size_t place = 0; place < n->problem.places; place++, x += n->problem.channels, y += n->problem.channels)
            for (size_t c = 0; c < n->width; c++)
                y[c] = (x[c] - mean) * inverse * weight[c] + bias[c];
        if (!p->means)
            continue;
        p->means[entry] = mean;
        p->inverses[entry] = inverse;
    }
}

static pass open_pass(const thaw_layer_run *run)
{
    const normalisation *n = run->state;
    float *means = run->workspace;
    return (pass){
        .layer = n,
        .input = run->inputs[0],
        .weight = n->weight ? run->parameters[WEIGHT] : n->plain,
        .bias = n->bias ? run->parameters[BIAS] : n->plain + n->problem.channels,
        .means = means,
        .inverses = means ? means + n->entries : NULL,
    };
}

thaw_status thaw_normalisation_forward(const thaw_layer_run *run)
{
    pass p = open_pass(run);
    p.destination = run->output;
    thaw_parallel_for(run->context, p.layer->entries, entry_grain(p.layer), normalise_entries, &p);
    return THAW_OK;
}

/* With x' = (x - mean) * inverse and s = weight * dy: dx = inverse * (s - mean(s) - x' * mean(s x')). */
static void differentiate_entries(void *argument, size_t begin, size_t end)
{
    const pass *p = argument;
    const normalisation *n = p->layer;
    for (size_t entry = begin; entry < end; entry++) {
        const size_t start = entry_start(n, entry), past = start + n->problem.places * n->problem.channels;
        const float *weight = p->weight + entry % n->problem.groups * n->width;
        const float mean = p->means[entry], inverse = p->inverses[entry];
        double slopes = 0, products = 0;
        for (size_t at = start; at < past; at += n->problem.channels)
            for (size_t c = 0; c < n->width; c += RUN)
                sum_slopes(p->slope + at + c, weight + c, p->input + at + c, mean, run_length(n, c), &slopes,
                           &products);
        const double scale = (double)inverse / (double)n->count;
        const float constant = (float)(-scale * slopes);
        const float linear = (float)(-scale * (double)inverse * (double)inverse * products);
        for (size_t at = start; at < past; at += n->problem.channels) {
            const float *x = p->input + at, *slope = p->slope + at;
            float *into = p->destination + at;
            for (size_t c = 0; c < n->width; c++)
                into[c] = slope[c] * weight[c] * inverse + constant + (x[c] - mean) * linear;
        }
    }
}

static void add_row(float *restrict sums, const float *restrict slope, size_t count)
{
    for (size_t c = 0; c < count; c++)
        sums[c] += slope[c];
}

static void add_normalised(float *restrict sums, const float *restrict slope, const float *restrict x, float mean,
                           float inverse, size_t count)
{
    for (size_t c = 0; c < count; c++)
        sums[c] += slope[c] * ((x[c] - mean) * inverse);
}

/* Adds what a sample gives to the gradients of weight and bias. */
static void add_sample(const pass *p, size_t sample, float *weight, float *bias)
{
    const normalisation *n = p->layer;
    const size_t channels = n->problem.channels, first = sample * n->problem.places * channels;
    for (size_t at = first; at < first + n->problem.places * channels; at += channels) {
        if (bias)
            add_row(bias, p->slope + at, channels);
        for (size_t group = 0; weight && group < n->problem.groups; group++) {
            const size_t entry = sample * n->problem.groups + group, c = group * n->width;
            add_normalised(weight + c, p->slope + at + c, p->input + at + c, p->means[entry], p->inverses[entry],
                           n->width);
        }
    }
}

static void sum_parts(void *argument, size_t begin, size_t end)
{
    const pass *p = argument;
    const thaw_normalisation *problem = &p->layer->problem;
    const size_t samples = part_samples(problem), channels = problem->channels;
    for (size_t part = begin; part < end; part++) {
        float *weight = p->weight_parts ? p->weight_parts + part * channels : NULL;
        float *bias = p->bias_parts ? p->bias_parts + part * channels : NULL;
        if (weight)
            memset(weight, 0, channels * sizeof *weight);
        if (bias)
            memset(bias, 0, channels * sizeof *bias);
        for (size_t i = part * samples; i < (part + 1) * samples && i < problem->samples; i++)
            add_sample(p, i, weight, bias);
    }
}

static void add_parts(const thaw_normalisation *problem, const float *parts, float *gradient)
{
    memset(gradient, 0, problem->channels * sizeof *gradient);
    for (size_t part = 0; part < part_count(problem); part++)
        add_row(gradient, parts + part * problem->channels, problem->channels);
}

static void parameter_gradients(const thaw_layer_run *run, pass *p, float *weight, float *bias)
{
    const thaw_normalisation *problem = &p->layer->problem;
    const size_t parts = part_count(problem);
    float *scratch = run->scratch;
    p->weight_parts = weight ? scratch : NULL;
    p->bias_parts = bias ? scratch + (weight ? parts * problem->channels : 0) : NULL;
    thaw_parallel_for(run->context, parts, 1, sum_parts, p);
    if (weight)
        add_parts(problem, p->weight_parts, weight);
    if (bias)
        add_parts(problem, p->bias_parts, bias);
}

thaw_status thaw_normalisation_backward(const thaw_layer_run *run)
{
    pass p = open_pass(run);
    const normalisation *n = p.layer;
    p.slope = run->output_gradient;
    p.destination = run->input_gradients[0];
    float *weight = n->weight ? run->parameter_gradients[WEIGHT] : NULL;
    float *bias = n->bias ? run->parameter_gradients[BIAS] : NULL;
    if (weight || bias)
        parameter_gradients(run, &p, weight, bias);
    if (p.destination)
        thaw_parallel_for(run->context, n->entries, entry_grain(n), differentiate_entries, &p);
    return THAW_OK;
}
