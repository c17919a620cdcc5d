/* Batch normalisation: y = (x - mean) / sqrt(variance + epsilon) * weight + bias for each channel. Ioffe & Szegedy
   2015, arXiv 1502.03167. Running statistics are as in PyTorch's BatchNorm. */
#include <math.h>
#include <thaw/layer_capabilities.h>
#include <thaw/layer_module.h>
#include <thaw/layers.h>

#include "layers/channel_passes.h"
#include "layers/normalisation.h"

typedef struct batch_norm {
    size_t rows, channels;
    thaw_dtype precision;
    double epsilon, momentum;
    bool follows, affine;
    bool folded;            /* the layer before does all the work */
    thaw_residual residual; /* the epilogue's */
    thaw_activation activation;
    bool from_output;      /* backward finds the activation's slope from the output, otherwise from the input */
    size_t mean, variance; /* which parameters they are */
} batch_norm;

/* A table that the layer computes with, a row of channels for each entry. It is in the workspace if the layer
   follows the batches, otherwise packed. REST is what MEAN has no digits for, and INVERSE is 1 / sqrt(variance +
   epsilon). */
enum { MEAN, REST, INVERSE, SCALE, SHIFT, ROWS };

static thaw_status add_statistic(thaw_layer_builder *builder, const char *name, thaw_initializer initializer,
                                 int64_t channels)
{
    const thaw_parameter_specification statistic = {
        .name = name, .role = THAW_STATISTIC, .shape = { 1, { channels } }, .initializer = initializer
    };
    return thaw_builder_parameter(builder, &statistic);
}

static thaw_status add_parameters(thaw_layer_builder *builder, int64_t channels, const thaw_batch_norm_options *o)
{
    const thaw_normalisation wanted = { .shape = { 1, { channels } },
                                        .epsilon = o->epsilon,
                                        .no_affine = o->no_affine,
                                        .initializer = o->initializer,
                                        .bias_initializer = o->bias_initializer };
    thaw_status status = thaw_normalisation_parameters(builder, &wanted);
    if (status == THAW_OK)
        status = add_statistic(builder, "running_mean", THAW_INITIAL_ZERO, channels);
    return status == THAW_OK ? add_statistic(builder, "running_var", THAW_INITIAL_ONE, channels) : status;
}

static thaw_status build(thaw_layer_builder *builder, const void *options)
{
    const thaw_batch_norm_options *o = options;
    const thaw_shape *input = thaw_builder_input(builder, 0);
    if (input->rank < 1)
        return thaw_builder_fail(builder, THAW_SHAPE_MISMATCH, "the input has no channels");
    if (!(o->momentum >= 0 && o->momentum <= 1))
        return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT, "momentum is %g, must be from 0 to 1", o->momentum);
    const thaw_status status = add_parameters(builder, input->dims[input->rank - 1], o);
    thaw_builder_follow_batches(builder, o->track_when_frozen);
    thaw_builder_flops(builder, 2 * (double)thaw_shape_count(input));
    return status == THAW_OK ? thaw_builder_output(builder, input) : status;
}

static thaw_status check_rows(const thaw_layer_demand *demand, const batch_norm *b)
{
    if (!b->follows || b->rows > 1)
        return THAW_OK;
    return thaw_fail(demand->context, THAW_INVALID_ARGUMENT,
                     "batch_norm: a batch with one value for each channel has no variance: train with larger batches, "
                     "drop the last one, or freeze the layer");
}

static thaw_status prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    const thaw_batch_norm_options *o = demand->options;
    batch_norm *b = thaw_allocate(demand->context, sizeof *b);
    if (!b)
        return THAW_OUT_OF_MEMORY;
    needs->state = b;
    b->channels = (size_t)demand->output.dims[demand->output.rank - 1];
    b->rows = (size_t)demand->batch * thaw_shape_count(&demand->output) / b->channels;
    b->epsilon = thaw_normalisation_epsilon(o->epsilon, o->use_epsilon);
    b->momentum = o->momentum > 0 || o->use_momentum ? o->momentum : 0.1;
    b->precision = demand->capabilities->precision;
    b->follows = demand->follows;
    b->affine = !o->no_affine;
    b->mean = b->affine ? 2 : 0;
    b->variance = b->mean + 1;
    b->folded = demand->capabilities->folded;
    needs->kernel = b->follows ? "batch statistics" : "stored statistics";
    if (b->folded) {
        needs->packed_bytes = 2 * b->channels * sizeof(float);
        return THAW_OK;
    }
    const bool learns_scale = b->affine && demand->parameter_gradient[0];
    const size_t table = ROWS * b->channels * sizeof(float);
    needs->packed_bytes = b->follows ? 0 : table;
    needs->workspace_bytes = b->follows ? table : 0;
    needs->scratch_bytes = thaw_channels_scratch_bytes(b->rows, b->channels) + 2 * b->channels * sizeof(double);
    needs->keeps_inputs = demand->training && (b->follows || learns_scale);
    b->residual = demand->capabilities->epilogue.residual;
    b->activation = demand->capabilities->epilogue.activation;
    b->from_output = b->activation != THAW_ACTIVATION_NONE && (b->residual || !needs->keeps_inputs);
    needs->keeps_output = demand->training && b->from_output;
    needs->in_place = !needs->keeps_inputs;
    needs->gradient_in_place = true;
    needs->mixes_samples = b->follows;
    const thaw_status status = check_rows(demand, b);
    if (status != THAW_OK)
        thaw_release(demand->context, b);
    return status;
}

static void fill_column(const batch_norm *b, const thaw_layer_run *run, size_t c, double mean, double variance,
                        float *column)
{
    const double inverse = 1 / sqrt(variance + b->epsilon), rest = mean - (double)(float)mean;
    const double scale = inverse * (b->affine ? (double)run->parameters[0][c] : 1);
    column[MEAN * b->channels] = (float)mean;
    column[REST * b->channels] = (float)rest;
    column[INVERSE * b->channels] = (float)inverse;
    column[SCALE * b->channels] = (float)scale;
    column[SHIFT * b->channels] = (float)((b->affine ? (double)run->parameters[1][c] : 0) - rest * scale);
}

/* y = scale x + shift, for the layer before. */
static void fill_channel_map(const batch_norm *b, const thaw_layer_run *run, size_t c, double mean, double variance)
{
    const double weight = b->affine ? (double)run->parameters[0][c] : 1;
    const double scale = weight / sqrt(variance + b->epsilon);
    float *map = run->packed;
    map[c] = (float)scale;
    map[b->channels + c] = (float)((b->affine ? (double)run->parameters[1][c] : 0) - mean * scale);
}

static thaw_status pack(const thaw_layer_run *run)
{
    const batch_norm *b = run->state;
    for (size_t c = 0; c < b->channels; c++) {
        const double mean = (double)run->parameters[b->mean][c], variance = (double)run->parameters[b->variance][c];
        if (b->folded)
            fill_channel_map(b, run, c, mean, variance);
        else
            fill_column(b, run, c, mean, variance, (float *)run->packed + c);
    }
    return THAW_OK;
}

static void update_statistics(const batch_norm *b, const thaw_layer_run *run, const double *mean,
                              const double *variance)
{
    const double kept = 1 - b->momentum, unbiased = (double)b->rows / (double)(b->rows - 1);
    float *running_mean = run->statistics[b->mean], *running_variance = run->statistics[b->variance];
    for (size_t c = 0; c < b->channels; c++) {
        running_mean[c] = (float)(kept * (double)running_mean[c] + b->momentum * mean[c]);
        running_variance[c] = (float)(kept * (double)running_variance[c] + b->momentum * unbiased * variance[c]);
    }
}

/* Common to all passes over the rows. What a batch determines is in the table. */
static thaw_channel_pass pass_of(const batch_norm *b, const thaw_layer_run *run)
{
    const float *table = b->follows ? run->workspace : run->packed;
    return (thaw_channel_pass){
        .channels = b->channels,
        .precision = b->precision,
        .input = run->inputs[0],
        .residual = b->residual ? run->inputs[1] : NULL,
        .mean = table + MEAN * b->channels,
        .scale = table + SCALE * b->channels,
        .shift = table + SHIFT * b->channels,
        .activation = b->activation,
        .output = run->output,
        .result = b->from_output ? run->output : NULL,
        .output_gradient = run->output_gradient,
    };
}

static thaw_status normalise(const thaw_layer_run *run)
{
    const batch_norm *b = run->state;
    const thaw_channel_pass pass = pass_of(b, run);
    thaw_channels_normalise(run->context, &pass, b->rows);
    return THAW_OK;
}

static thaw_status forward(const thaw_layer_run *run)
{
    const batch_norm *b = run->state;
    if (b->follows) {
        const thaw_channel_pass pass = pass_of(b, run);
        double *mean = run->scratch, *variance = mean + b->channels;
        thaw_channels_measure(run->context, &pass, b->rows, mean, variance, variance + b->channels);
        update_statistics(b, run, mean, variance);
        for (size_t c = 0; c < b->channels; c++)
            fill_column(b, run, c, mean[c], variance[c], (float *)run->workspace + c);
    }
    return normalise(run);
}

/* ---- backward: z is the input of the activation ---- */

/* With x' = (x - mean) * inverse: dx = scale * (dz - mean(dz) - x' * mean(dz x')). Turns the sums of dz and of
   dz (x - mean) into what a row needs. */
static void convert_sums(const batch_norm *b, const float *table, const double *slopes, const double *products,
                         float *shifts, float *rates)
{
    for (size_t c = 0; c < b->channels; c++) {
        const double inverse = (double)table[INVERSE * b->channels + c], scale = (double)table[SCALE * b->channels + c];
        const double rate = -scale * inverse * inverse * products[c] / (double)b->rows;
        rates[c] = (float)rate;
        shifts[c] = (float)(-scale * slopes[c] / (double)b->rows - rate * (double)table[REST * b->channels + c]);
    }
}

static void store_gradients(const batch_norm *b, const thaw_layer_run *run, const float *inverse, const double *slopes,
                            const double *products)
{
    float *weight = b->affine ? run->parameter_gradients[0] : NULL,
          *bias = b->affine ? run->parameter_gradients[1] : NULL;
    for (size_t c = 0; weight && c < b->channels; c++)
        weight[c] = (float)(products[c] * (double)inverse[c]);
    for (size_t c = 0; bias && c < b->channels; c++)
        bias[c] = (float)slopes[c];
}

/* The sums over all rows, if needed; and dz, which is the gradient of the residual. */
static void reduce(const batch_norm *b, const thaw_layer_run *run, thaw_channel_pass *pass, double *slopes,
                   double *products)
{
    const bool scale = b->affine && run->parameter_gradients[0], shift = b->affine && run->parameter_gradients[1];
    const bool centred = (b->follows && run->input_gradients[0]) || scale;
    pass->slope = b->residual ? run->input_gradients[1] : NULL;
    if (centred || shift || pass->slope)
        thaw_channels_reduce(run->context, pass, b->rows, slopes, centred ? products : NULL, products + b->channels);
    const float *rest = pass->mean + (REST - MEAN) * b->channels; /* the loops only know MEAN */
    for (size_t c = 0; centred && c < b->channels; c++)
        products[c] -= slopes[c] * (double)rest[c];
    pass->masked = pass->slope != NULL;
    if (pass->masked)
        pass->output_gradient = pass->slope;
}

static thaw_status backward(const thaw_layer_run *run)
{
    const batch_norm *b = run->state;
    const float *table = b->follows ? run->workspace : run->packed;
    double *slopes = run->scratch, *products = slopes + b->channels;
    thaw_channel_pass pass = pass_of(b, run);
    reduce(b, run, &pass, slopes, products);
    store_gradients(b, run, table + INVERSE * b->channels, slopes, products);
    if (!run->input_gradients[0])
        return THAW_OK;
    pass.gradient = run->input_gradients[0];
    if (b->follows) {
        float *shifts = (float *)(products + b->channels), *rates = shifts + b->channels;
        convert_sums(b, table, slopes, products, shifts, rates);
        pass.gradient_shift = shifts;
        pass.gradient_rate = rates;
    }
    thaw_channels_differentiate(run->context, &pass, b->rows);
    return THAW_OK;
}

/* Takes activations whose slope is 0 or 1. */
static bool takes_epilogue(const thaw_layer_demand *demand)
{
    return !demand->capabilities->epilogue.maps_channels &&
           demand->capabilities->epilogue.activation <= THAW_ACTIVATION_RELU6;
}

static const thaw_layer_capabilities capabilities = {
    .size = sizeof(thaw_layer_capabilities),
    .maps_channels = true,
    .takes_epilogue = takes_epilogue,
    .differentiates_activation = true,
    .bfloat16 = THAW_BFLOAT16_FOLLOWS,
};

static const thaw_layer_module module = {
    THAW_LAYER_MODULE_HEAD,
    .name = "batch_norm",
    .options_size = sizeof(thaw_batch_norm_options),
    .capabilities = &capabilities,
    .build = build,
    .prepare = prepare,
    .pack = pack,
    .forward = forward,
    .backward = backward,
    .recompute = normalise,
    .release = thaw_release,
    .export_onnx = thaw_batch_norm_export,
};

thaw_status thaw_batch_norm(thaw_model *model, thaw_node input, const thaw_batch_norm_options *options,
                            thaw_node *output)
{
    const thaw_batch_norm_options settings = options ? *options : (thaw_batch_norm_options){ 0 };
    return thaw_model_append(model, &module, settings.name, &input, 1, &settings, output);
}
