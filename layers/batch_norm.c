/* Batch normalisation: y = (x - mean) / sqrt(variance + epsilon) * weight + bias for each channel. Ioffe & Szegedy
   2015, arXiv 1502.03167. Running statistics are as in PyTorch's BatchNorm. */
#include <thaw/layer_capabilities.h>
#include <thaw/layer_module.h>
#include <thaw/layers.h>

#include "layers/channel_passes.h"
#include "layers/channel_table.h"
#include "layers/normalisation.h"
#include "layers/shard_statistics.h"

typedef struct batch_norm {
    size_t rows, channels;
    thaw_dtype precision;
    double epsilon, momentum;
    bool follows, affine;
    bool shares, shares_gradients; /* the sums of all shards, in forward and in backward */
    bool folded;                   /* the layer before does all the work */
    thaw_residual residual;        /* the epilogue's */
    thaw_activation activation;
    bool from_output;      /* backward finds the activation's slope from the output, otherwise from the input */
    size_t mean, variance; /* which parameters they are */
} batch_norm;

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

static thaw_status check_rows(thaw_context *context, size_t rows)
{
    if (rows > 1)
        return THAW_OK;
    return thaw_fail(context, THAW_INVALID_ARGUMENT,
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
    b->shares = demand->capabilities->shares_sums;
    b->shares_gradients = b->shares && demand->input_gradient[0];
    b->affine = !o->no_affine;
    b->mean = b->affine ? 2 : 0;
    b->variance = b->mean + 1;
    b->folded = demand->capabilities->folded;
    needs->kernel = b->shares ? "shared statistics" : b->follows ? "batch statistics" : "stored statistics";
    if (b->folded) {
        needs->packed_bytes = 2 * b->channels * sizeof(float);
        return THAW_OK;
    }
    const bool learns_scale = b->affine && demand->parameter_gradient[0];
    const size_t table = THAW_CHANNEL_ROWS * b->channels * sizeof(float);
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
    needs->capabilities->forward_sums = b->shares ? thaw_shard_statistics_count(b->channels) : 0;
    needs->capabilities->backward_sums = b->shares_gradients ? thaw_shard_statistics_count(b->channels) : 0;
    const thaw_status status = b->follows && !b->shares ? check_rows(demand->context, b->rows) : THAW_OK;
    if (status != THAW_OK)
        thaw_release(demand->context, b);
    return status;
}

/* The table is in the workspace if the layer follows the batches, otherwise packed. */
static float *table_of(const batch_norm *b, const thaw_layer_run *run)
{
    return b->follows ? run->workspace : run->packed;
}

static thaw_channel_scales scales_of(const batch_norm *b, const thaw_layer_run *run)
{
    return (thaw_channel_scales){ b->channels, b->epsilon, b->affine ? run->parameters[0] : NULL,
                                  b->affine ? run->parameters[1] : NULL };
}

static thaw_status pack(const thaw_layer_run *run)
{
    const batch_norm *b = run->state;
    const thaw_channel_scales scales = scales_of(b, run);
    for (size_t c = 0; c < b->channels; c++)
        (b->folded ? thaw_channel_map_fill : thaw_channel_table_fill)(&scales, c, (double)run->parameters[b->mean][c],
                                                                      (double)run->parameters[b->variance][c],
                                                                      run->packed);
    return THAW_OK;
}

static thaw_channel_pass pass_of(const batch_norm *b, const thaw_layer_run *run)
{
    const float *table = table_of(b, run);
    return (thaw_channel_pass){
        .channels = b->channels,
        .precision = b->precision,
        .input = run->inputs[0],
        .residual = b->residual ? run->inputs[1] : NULL,
        .mean = table + THAW_CHANNEL_MEAN * b->channels,
        .scale = table + THAW_CHANNEL_SCALE * b->channels,
        .shift = table + THAW_CHANNEL_SHIFT * b->channels,
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

static thaw_status measure(const thaw_layer_run *run)
{
    const batch_norm *b = run->state;
    const thaw_channel_pass pass = pass_of(b, run);
    const thaw_shard_statistics own = thaw_shard_statistics_begin(&run->capabilities->sums, b->channels, b->rows);
    thaw_channels_measure(run->context, &pass, b->rows, own.first, own.second, run->scratch);
    return THAW_OK;
}

static thaw_status follow(const batch_norm *b, const thaw_layer_run *run)
{
    const thaw_channel_pass pass = pass_of(b, run);
    const thaw_channel_scales scales = scales_of(b, run);
    double *mean = run->scratch, *variance = mean + b->channels;
    size_t rows = b->rows;
    if (b->shares)
        rows = thaw_shard_statistics_join(&run->capabilities->sums, b->channels, mean, variance);
    else
        thaw_channels_measure(run->context, &pass, rows, mean, variance, variance + b->channels);
    const thaw_status status = check_rows(run->context, rows);
    if (status != THAW_OK)
        return status;
    const double unbiased = (double)rows / (double)(rows - 1);
    thaw_running_statistic_move(run->statistics[b->mean], mean, 1, b->momentum, b->channels);
    thaw_running_statistic_move(run->statistics[b->variance], variance, unbiased, b->momentum, b->channels);
    for (size_t c = 0; c < b->channels; c++)
        thaw_channel_table_fill(&scales, c, mean[c], variance[c], run->workspace);
    return THAW_OK;
}

static thaw_status forward(const thaw_layer_run *run)
{
    const batch_norm *b = run->state;
    const thaw_status status = b->follows ? follow(b, run) : THAW_OK;
    return status == THAW_OK ? normalise(run) : status;
}

/* ---- backward: z is the input of the activation ---- */

/* The sums over this shard's rows, if needed; and dz, which is the gradient of the residual. */
static void reduce(const batch_norm *b, const thaw_layer_run *run, double *slopes, double *products, void *scratch)
{
    thaw_channel_pass pass = pass_of(b, run);
    const bool scale = b->affine && run->parameter_gradients[0], shift = b->affine && run->parameter_gradients[1];
    const bool centred = (b->follows && run->input_gradients[0]) || scale;
    pass.slope = b->residual ? run->input_gradients[1] : NULL;
    if (centred || shift || pass.slope)
        thaw_channels_reduce(run->context, &pass, b->rows, slopes, centred ? products : NULL, scratch);
    const float *rest = table_of(b, run) + THAW_CHANNEL_REST * b->channels; /* the loops only know the mean */
    for (size_t c = 0; centred && c < b->channels; c++)
        products[c] -= slopes[c] * (double)rest[c];
}

static thaw_status measure_gradients(const thaw_layer_run *run)
{
    const batch_norm *b = run->state;
    const thaw_shard_statistics own = thaw_shard_statistics_begin(&run->capabilities->sums, b->channels, b->rows);
    reduce(b, run, own.first, own.second, run->scratch);
    return THAW_OK;
}

/* `slopes` and `products`: over `rows` rows, and room for as many floats behind them. */
static void differentiate(const batch_norm *b, const thaw_layer_run *run, size_t rows, const double *slopes,
                          double *products)
{
    thaw_channel_pass pass = pass_of(b, run);
    pass.gradient = run->input_gradients[0];
    pass.masked = b->residual && run->input_gradients[1];
    if (pass.masked)
        pass.output_gradient = run->input_gradients[1];
    if (b->follows) {
        float *shifts = (float *)(products + b->channels), *rates = shifts + b->channels;
        thaw_channel_table_convert(table_of(b, run), b->channels, rows, slopes, products, shifts, rates);
        pass.gradient_shift = shifts;
        pass.gradient_rate = rates;
    }
    thaw_channels_differentiate(run->context, &pass, b->rows);
}

static thaw_status backward(const thaw_layer_run *run)
{
    const batch_norm *b = run->state;
    float *weight = b->affine ? run->parameter_gradients[0] : NULL;
    float *bias = b->affine ? run->parameter_gradients[1] : NULL;
    double *slopes = run->scratch, *products = slopes + b->channels;
    size_t rows = b->rows;
    if (b->shares_gradients) {
        const thaw_shard_statistics own = thaw_shard_statistics_own(&run->capabilities->sums, b->channels);
        thaw_channel_gradients_store(table_of(b, run), b->channels, own.first, own.second, weight, bias);
        rows = thaw_shard_statistics_add(&run->capabilities->sums, b->channels, slopes, products);
    } else {
        reduce(b, run, slopes, products, products + b->channels);
        thaw_channel_gradients_store(table_of(b, run), b->channels, slopes, products, weight, bias);
    }
    if (run->input_gradients[0])
        differentiate(b, run, rows, slopes, products);
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
    .measure = measure,
    .measure_gradients = measure_gradients,
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
