/* Dense: y = x W^T + b, for each row of the input. */
#include <thaw/layers.h>

#include "column_sum.h"
#include "core/allocation.h"
#include "core/bfloat16.h"
#include "dnn/inner_product.h"
#include "fold.h"
#include "kept_weight.h"
#include "low_rank.h"
#include "swapped_dense.h"

enum { WEIGHT, BIAS };

typedef struct dense {
    size_t rows, units; /* of the output as a matrix */
    bool bias;
    bool folds; /* a channel map follows, in weight and bias */
    thaw_fold fold;
    size_t bias_offset, weight_offset; /* of the folded bias, and of the folded weight if a kernel reads that, packed */
    bool keeps_folded;                 /* one does */
    thaw_kept_weight *kept;            /* NULL: the weight stays beside its copies */
    thaw_residual residual;
    thaw_kernel *forward, *pack; /* pack NULL: forward reads the weight as it is; both NULL: see below */
    thaw_swapped_dense swapped;
    thaw_kernel *backward_data, *pack_backward; /* likewise */
    thaw_kernel *backward_weights;
    size_t backward_offset; /* of backward data's weights in the packed memory */
    thaw_dtype precision;
    thaw_low_rank *low_rank; /* a change to the weight, or NULL */
    bool sums_bias;          /* the bias trains, the weight does not */
} dense;

static thaw_status build(thaw_layer_builder *builder, const void *options)
{
    const thaw_dense_options *o = options;
    const thaw_shape *input = thaw_builder_input(builder, 0);
    if (input->rank < 1)
        return thaw_builder_fail(builder, THAW_SHAPE_MISMATCH, "the input is a number, wanted [..., features]");
    if (o->units < 1)
        return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT, "units is %lld, wanted at least 1",
                                 (long long)o->units);
    thaw_shape output = *input;
    output.dims[output.rank - 1] = o->units;
    const int64_t inputs = input->dims[input->rank - 1];
    const double features = (double)inputs, units = (double)o->units;
    const thaw_parameter_specification weight = {
        .name = "weight",
        .role = THAW_WEIGHT,
        .shape = { 2, { o->units, inputs } },
        .initializer = o->initializer,
        .fan_in = features,
        .fan_out = units,
    };
    const thaw_parameter_specification bias = {
        .name = "bias",
        .role = THAW_BIAS,
        .shape = { 1, { o->units } },
        .initializer = o->bias_initializer,
        .fan_in = features,
        .fan_out = units,
    };
    thaw_status status = thaw_builder_parameter(builder, &weight);
    if (status == THAW_OK && !o->no_bias)
        status = thaw_builder_parameter(builder, &bias);
    thaw_builder_flops(builder, 2 * (double)thaw_shape_count(input) * units);
    return status == THAW_OK ? thaw_builder_output(builder, &output) : status;
}

/* How forward runs: oneDNN is slow on the weight as it stands, fast when it is packed, and as fast when the input is
   packed in its place (swapped_dense.h). */
typedef enum way { PLAIN, PACKED, SWAPPED } way;

/* oneDNN 2.6.3, 2 cores with AVX-512, microseconds: plain; product + packing the weight; product + packing the input +
   turning the product over.
     784->512, batch 128    266    208 + 64      216 + 15 + 9
               batch 32     107     59 + 59       54 + 4 + 3
               batch 8       18     14 + 59       31 + 3 + 1
     512->1000, batch 16    217     36 + 290      38 + 1 + 1     (1000 is padded to 1024, which makes packing slow)
     4608->128, batch 128   727    330 + 86      343 + 93 + 3
     512->512, batch 128    235    137 + 37      137 + 9 + 9
     512->10, batch 128     9.5    6.6 + 3.2     4.6 + 9.8 + 1.8
   So a weight that stays is packed, and one that has to be rounded; of one that trains, the cheaper operand is, if
   there are rows enough. */
static way choose_way(const thaw_layer_demand *demand, const thaw_inner_product *product)
{
    const double rows = (double)product->batch, inputs = (double)product->inputs, outputs = (double)product->outputs;
    const bool changes = demand->low_rank.rank > 0 && !demand->low_rank.beside;
    if ((!demand->parameter_gradient[WEIGHT] && !changes) || demand->precision != THAW_F32)
        return PACKED;
    if (product->batch < 16)
        return PLAIN;
    if (rows * (inputs + 2 * outputs) < inputs * outputs)
        return SWAPPED;
    return product->outputs % 64 == 0 ? PACKED : PLAIN;
}

static void release(thaw_context *context, void *state)
{
    dense *d = state;
    thaw_kernel_release(context, d->forward);
    thaw_kernel_release(context, d->pack);
    thaw_kernel_release(context, d->backward_data);
    thaw_kernel_release(context, d->pack_backward);
    thaw_kernel_release(context, d->backward_weights);
    thaw_swapped_dense_release(context, &d->swapped);
    thaw_low_rank_release(context, d->low_rank);
    thaw_kept_weight_release(context, d->kept);
    thaw_release(context, d);
}

static thaw_status create_low_rank(const thaw_layer_demand *demand, const thaw_inner_product *product,
                                   thaw_low_rank **low_rank)
{
    if (demand->low_rank.rank == 0)
        return THAW_OK;
    const thaw_low_rank_problem problem = {
        .demand = demand->low_rank,
        .rows = (size_t)product->batch,
        .outputs = (size_t)product->outputs,
        .input_count = (size_t)(product->batch * product->inputs),
        .input_gradient = demand->input_gradient[0],
        .activation = demand->epilogue.activation,
        .dense = product,
    };
    return thaw_low_rank_create(demand->context, &problem, low_rank);
}

/* What forward is to compute; `packed` is not decided yet. */
static thaw_inner_product problem_of(const thaw_layer_demand *demand)
{
    const int64_t inputs = demand->parameters[WEIGHT].dims[1], outputs = demand->parameters[WEIGHT].dims[0];
    return (thaw_inner_product){
        .batch = demand->batch * (int64_t)thaw_shape_count(&demand->output) / outputs,
        .inputs = inputs,
        .outputs = outputs,
        .precision = demand->precision,
        .bias = demand->parameter_count > BIAS || demand->epilogue.maps_channels,
        .after = { demand->epilogue.residual, demand->epilogue.activation },
        .training = demand->training,
    };
}

static thaw_status create_kernels(const thaw_layer_demand *demand, dense *d)
{
    const bool rounds = demand->precision != THAW_F32; /* the weight, for which backward wants a copy */
    const bool bias_gradient = d->bias && demand->parameter_gradient[BIAS];
    thaw_inner_product problem = problem_of(demand);
    const way chosen = choose_way(demand, &problem);
    problem.packed = chosen == PACKED;
    if (demand->low_rank.beside)
        problem.after.activation = THAW_ACTIVATION_NONE; /* applied once the change has been added */
    thaw_status status = chosen == SWAPPED
                             ? thaw_swapped_dense_create(demand->context, &problem, &d->swapped)
                             : thaw_inner_product_forward(demand->context, &problem, &d->forward, &d->pack);
    if (status == THAW_OK && demand->input_gradient[0])
        status = thaw_inner_product_backward_data(demand->context, &problem, &d->backward_data,
                                                  rounds ? &d->pack_backward : NULL);
    if (status == THAW_OK)
        status = create_low_rank(demand, &problem, &d->low_rank);
    problem.bias = bias_gradient;
    if (status == THAW_OK && demand->parameter_gradient[WEIGHT])
        status = thaw_inner_product_backward_weights(demand->context, &problem, &d->backward_weights);
    d->sums_bias = bias_gradient && !demand->parameter_gradient[WEIGHT];
    return status;
}

static size_t packed_bytes(const thaw_kernel *pack)
{
    return pack ? thaw_align(thaw_kernel_bytes(pack, THAW_ARGUMENT_DESTINATION)) : 0;
}

/* Of the folded weight, where it is needed for packing alone. */
static size_t folded_bytes(const dense *d)
{
    return d->folds && !d->keeps_folded && !d->kept ? thaw_align(thaw_fold_weight_bytes(&d->fold)) : 0;
}

/* Packed memory: weights of forward, of backward data, the folded bias, the folded weight; each if there is one. */
static void place_packed(dense *d)
{
    d->keeps_folded = d->folds && (!d->pack || (d->backward_data && !d->pack_backward));
    d->backward_offset = packed_bytes(d->pack);
    d->bias_offset = d->backward_offset + packed_bytes(d->pack_backward);
    d->weight_offset = d->bias_offset + (d->folds ? thaw_align(thaw_fold_bias_bytes(&d->fold)) : 0);
}

/* The weight need not stay where kernels read packed copies alone. */
static thaw_status keep_weight(const thaw_layer_demand *demand, dense *d)
{
    if (!demand->may_leave || !d->pack || (d->backward_data && !d->pack_backward) || d->low_rank)
        return THAW_OK;
    return thaw_kept_weight_create(demand->context,
                                   &(thaw_kept_weight_options){
                                       .outputs = d->units,
                                       .row = d->fold.row,
                                       .scaled = d->folds,
                                       .forward = d->forward,
                                       .backward = d->backward_data,
                                       .backward_offset = d->backward_offset,
                                       .notes_offset = d->weight_offset,
                                   },
                                   &d->kept);
}

static size_t scratch_bytes(const dense *d)
{
    const size_t candidates[] = {
        thaw_kernel_scratch_bytes(d->forward),
        folded_bytes(d) + thaw_kernel_scratch_bytes(d->pack),
        thaw_kernel_scratch_bytes(d->backward_data),
        folded_bytes(d) + thaw_kernel_scratch_bytes(d->pack_backward),
        thaw_kernel_scratch_bytes(d->backward_weights),
        thaw_swapped_dense_scratch_bytes(&d->swapped),
        thaw_low_rank_scratch_bytes(d->low_rank),
        d->sums_bias ? thaw_column_sum_scratch_bytes(d->rows, d->units) : 0,
    };
    size_t most = 0;
    for (size_t i = 0; i < THAW_COUNT(candidates); i++)
        most = candidates[i] > most ? candidates[i] : most;
    return most;
}

static thaw_status prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    dense *d = thaw_allocate(demand->context, sizeof *d);
    if (!d)
        return THAW_OUT_OF_MEMORY;
    d->units = (size_t)demand->parameters[WEIGHT].dims[0];
    d->rows = (size_t)demand->batch * (thaw_shape_count(&demand->output) / d->units);
    d->precision = demand->precision;
    d->bias = demand->parameter_count > BIAS;
    d->folds = demand->epilogue.maps_channels;
    d->residual = demand->epilogue.residual;
    d->fold = (thaw_fold){ d->units, (size_t)demand->parameters[WEIGHT].dims[1], d->bias };
    thaw_status status = create_kernels(demand, d);
    if (status == THAW_OK) {
        place_packed(d);
        status = keep_weight(demand, d);
    }
    if (status != THAW_OK) {
        release(demand->context, d);
        return status;
    }
    needs->state = d;
    needs->packed_bytes =
        d->weight_offset + (d->keeps_folded ? thaw_fold_weight_bytes(&d->fold) : 0) + thaw_kept_weight_bytes(d->kept);
    needs->lets_go = d->kept;
    needs->scratch_bytes = scratch_bytes(d);
    needs->workspace_bytes = thaw_low_rank_workspace_bytes(d->low_rank);
    needs->keeps_inputs = d->backward_weights || thaw_low_rank_keeps_input(d->low_rank);
    needs->kernel = thaw_kernel_name(d->forward ? d->forward : d->swapped.product);
    return THAW_OK;
}

static float *in_packed(const thaw_layer_run *run, size_t offset)
{
    return (float *)(void *)((char *)run->packed + offset);
}

static thaw_status pack_one(const thaw_layer_run *run, thaw_kernel *kernel, const float *weight, size_t offset)
{
    const dense *d = run->state;
    if (!kernel)
        return THAW_OK;
    const thaw_binding bindings[] = {
        { THAW_ARGUMENT_SOURCE, weight },
        { THAW_ARGUMENT_DESTINATION, in_packed(run, offset) },
    };
    return thaw_kernel_run(kernel, bindings, THAW_COUNT(bindings), (char *)run->scratch + folded_bytes(d));
}

static thaw_status pack(const thaw_layer_run *run)
{
    const dense *d = run->state;
    const float *weight = run->parameters[WEIGHT];
    if (d->folds)
        thaw_fold_bias(&d->fold, run, in_packed(run, d->bias_offset));
    if (d->kept) {
        thaw_kept_weight_pack(d->kept, run);
        return THAW_OK;
    }
    if (d->folds) {
        float *folded = d->keeps_folded ? in_packed(run, d->weight_offset) : run->scratch;
        thaw_fold_weight(&d->fold, run, folded);
        weight = folded;
    }
    const thaw_status status = pack_one(run, d->pack, weight, 0);
    return status == THAW_OK ? pack_one(run, d->pack_backward, weight, d->backward_offset) : status;
}

static void unpack(const thaw_layer_run *run, size_t first, size_t count, float *values)
{
    const dense *d = run->state;
    thaw_kept_weight_unpack(d->kept, run, first, count, values);
}

/* What a kernel reads: its packed copy, or the weight as it is. */
static const float *weight_for(const thaw_layer_run *run, const thaw_kernel *pack_kernel, size_t offset)
{
    const dense *d = run->state;
    if (pack_kernel)
        return in_packed(run, offset);
    return d->folds ? in_packed(run, d->weight_offset) : run->parameters[WEIGHT];
}

static const float *bias_of(const thaw_layer_run *run)
{
    const dense *d = run->state;
    if (d->folds)
        return in_packed(run, d->bias_offset);
    return d->bias ? run->parameters[BIAS] : NULL;
}

static thaw_status multiply(const thaw_layer_run *run)
{
    const dense *d = run->state;
    const float *bias = bias_of(run);
    if (!d->forward)
        return thaw_swapped_dense_run(&d->swapped, run, run->parameters[WEIGHT], bias);
    const thaw_binding bindings[] = {
        { THAW_ARGUMENT_SOURCE, run->inputs[0] },
        { THAW_ARGUMENT_WEIGHTS, weight_for(run, d->pack, 0) },
        { THAW_ARGUMENT_BIAS, bias },
        { THAW_ARGUMENT_RESIDUAL, d->residual == THAW_RESIDUAL_BESIDE ? run->inputs[1] : NULL },
        { THAW_ARGUMENT_DESTINATION, run->output },
    };
    return thaw_kernel_run(d->forward, bindings, THAW_COUNT(bindings), run->scratch);
}

static thaw_status forward(const thaw_layer_run *run)
{
    const dense *d = run->state;
    const thaw_status status = multiply(run);
    return status == THAW_OK && d->low_rank ? thaw_low_rank_forward(d->low_rank, run) : status;
}

static thaw_status backward(const thaw_layer_run *run)
{
    const dense *d = run->state;
    thaw_status status = THAW_OK;
    if (d->backward_weights) {
        const thaw_binding bindings[] = {
            { THAW_ARGUMENT_SOURCE, run->inputs[0] },
            { THAW_ARGUMENT_DESTINATION_GRADIENT, run->output_gradient },
            { THAW_ARGUMENT_WEIGHTS_GRADIENT, run->parameter_gradients[WEIGHT] },
            { THAW_ARGUMENT_BIAS_GRADIENT, d->bias ? run->parameter_gradients[BIAS] : NULL },
        };
        status = thaw_kernel_run(d->backward_weights, bindings, THAW_COUNT(bindings), run->scratch);
    }
    if (d->sums_bias)
        thaw_column_sum(run->context, d->rows, d->units, d->precision, run->output_gradient,
                        run->parameter_gradients[BIAS], run->scratch);
    if (d->folds)
        thaw_fold_gradients(&d->fold, run);
    if (d->residual && run->input_gradients[1])
        thaw_values_copy(run->context, d->precision, run->input_gradients[1], run->output_gradient, d->rows * d->units);
    if (status == THAW_OK && d->backward_data) {
        const thaw_binding bindings[] = {
            { THAW_ARGUMENT_DESTINATION_GRADIENT, run->output_gradient },
            { THAW_ARGUMENT_WEIGHTS, weight_for(run, d->pack_backward, d->backward_offset) },
            { THAW_ARGUMENT_SOURCE_GRADIENT, run->input_gradients[0] },
        };
        status = thaw_kernel_run(d->backward_data, bindings, THAW_COUNT(bindings), run->scratch);
    }
    return status == THAW_OK && d->low_rank ? thaw_low_rank_backward(d->low_rank, run) : status;
}

/* The gradients of a low-rank change's factors know of no channel map, and a change that is added after the layer's own
   kernel has run leaves no place for a residual. Nor does a product whose operands are swapped, which is chosen for
   weights that train. */
static bool takes_epilogue(const thaw_layer_demand *demand)
{
    const thaw_epilogue *epilogue = &demand->epilogue;
    if (demand->low_rank.rank > 0 && epilogue->maps_channels)
        return false;
    if (demand->low_rank.beside)
        return !epilogue->residual;
    const thaw_inner_product problem = problem_of(demand);
    return choose_way(demand, &problem) != SWAPPED ||
           (!epilogue->maps_channels && !epilogue->residual && epilogue->activation <= THAW_ACTIVATION_RELU);
}

static bool takes_low_rank(const void *options)
{
    (void)options;
    return true;
}

static const thaw_layer_module module = {
    .name = "dense",
    .options_size = sizeof(thaw_dense_options),
    .takes_epilogue = takes_epilogue,
    .bfloat16 = THAW_BFLOAT16_CHOSEN,
    .takes_low_rank = takes_low_rank,
    .build = build,
    .prepare = prepare,
    .pack = pack,
    .unpack = unpack,
    .forward = forward,
    .backward = backward,
    .release = release,
};

thaw_status thaw_dense(thaw_model *model, thaw_node input, const thaw_dense_options *options, thaw_node *output)
{
    const thaw_dense_options chosen = options ? *options : (thaw_dense_options){ 0 };
    return thaw_model_append(model, &module, chosen.name, &input, 1, &chosen, output);
}
