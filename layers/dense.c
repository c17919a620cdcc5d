/* Dense: y = x W^T + b, for each row of the input. */
#include <thaw/layers.h>

#include "core/allocation.h"
#include "kernels/bfloat16.h"
#include "kernels/row_product.h"
#include "layers/column_sum.h"
#include "layers/low_rank.h"
#include "layers/swapped_dense.h"
#include "layers/weight_copies.h"
#include "onednn/inner_product.h"

enum { WEIGHT, BIAS };

typedef struct dense {
    size_t rows, units; /* of the output as a matrix */
    bool bias;
    thaw_residual residual;
    thaw_weight_copies copies;            /* that forward and backward_data read */
    thaw_kernel *forward, *backward_data; /* forward NULL: see below */
    thaw_swapped_dense swapped;
    thaw_kernel *backward_weights;
    thaw_dtype precision;
    thaw_low_rank *low_rank; /* a change to the weight, or NULL */
    bool sums_bias;          /* the bias trains, and no kernel sums its gradient */
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
    thaw_kernel_release(context, d->backward_data);
    thaw_kernel_release(context, d->backward_weights);
    thaw_weight_copies_release(context, &d->copies);
    thaw_swapped_dense_release(context, &d->swapped);
    thaw_low_rank_release(context, d->low_rank);
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
    thaw_status status =
        chosen == SWAPPED ? thaw_swapped_dense_create(demand->context, &problem, &d->swapped)
                          : thaw_inner_product_forward(demand->context, &problem, &d->forward, &d->copies.pack_forward);
    if (status == THAW_OK && demand->input_gradient[0])
        status = thaw_inner_product_backward_data(demand->context, &problem, &d->backward_data,
                                                  rounds ? &d->copies.pack_backward : NULL);
    if (status == THAW_OK)
        status = create_low_rank(demand, &problem, &d->low_rank);
    problem.bias = bias_gradient;
    if (status == THAW_OK && demand->parameter_gradient[WEIGHT])
        status = thaw_inner_product_backward_weights(demand->context, &problem, &d->backward_weights);
    d->sums_bias = bias_gradient && !thaw_kernel_sums_bias(d->backward_weights);
    return status;
}

static size_t scratch_bytes(const dense *d)
{
    const size_t candidates[] = {
        thaw_weight_copies_scratch_bytes(&d->copies, d->forward, d->backward_data),
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
    d->residual = demand->epilogue.residual;
    thaw_status status = create_kernels(demand, d);
    if (status == THAW_OK)
        status = thaw_weight_copies_place(demand, d->forward, d->backward_data, &d->copies);
    if (status != THAW_OK) {
        release(demand->context, d);
        return status;
    }
    needs->state = d;
    needs->packed_bytes = thaw_weight_copies_packed_bytes(&d->copies);
    needs->lets_go = d->copies.kept;
    needs->scratch_bytes = scratch_bytes(d);
    needs->workspace_bytes = thaw_low_rank_workspace_bytes(d->low_rank);
    needs->keeps_inputs = d->backward_weights || thaw_low_rank_keeps_input(d->low_rank);
    needs->kernel = thaw_kernel_name(d->forward ? d->forward : d->swapped.product);
    return THAW_OK;
}

static thaw_status pack(const thaw_layer_run *run)
{
    const dense *d = run->state;
    return thaw_weight_copies_pack(&d->copies, run);
}

static void unpack(const thaw_layer_run *run, size_t first, size_t count, float *values)
{
    const dense *d = run->state;
    thaw_weight_copies_unpack(&d->copies, run, first, count, values);
}

static thaw_status multiply(const thaw_layer_run *run)
{
    const dense *d = run->state;
    const float *bias = thaw_weight_copies_bias(&d->copies, run);
    if (!d->forward)
        return thaw_swapped_dense_run(&d->swapped, run, run->parameters[WEIGHT], bias);
    thaw_weight_copy copy;
    const thaw_status status = thaw_weight_copy_for_forward(&d->copies, run, &copy);
    if (status != THAW_OK)
        return status;
    const thaw_binding bindings[] = {
        { THAW_ARGUMENT_SOURCE, run->inputs[0] },
        { THAW_ARGUMENT_WEIGHTS, copy.weight },
        { THAW_ARGUMENT_BIAS, bias },
        { THAW_ARGUMENT_RESIDUAL, d->residual == THAW_RESIDUAL_BESIDE ? run->inputs[1] : NULL },
        { THAW_ARGUMENT_DESTINATION, run->output },
    };
    return thaw_kernel_run(d->forward, bindings, THAW_COUNT(bindings), copy.scratch);
}

static thaw_status forward(const thaw_layer_run *run)
{
    const dense *d = run->state;
    const thaw_status status = multiply(run);
    return status == THAW_OK && d->low_rank ? thaw_low_rank_forward(d->low_rank, run) : status;
}

static thaw_status weight_gradient(const thaw_layer_run *run, const dense *d)
{
    const thaw_binding bindings[] = {
        { THAW_ARGUMENT_SOURCE, run->inputs[0] },
        { THAW_ARGUMENT_DESTINATION_GRADIENT, run->output_gradient },
        { THAW_ARGUMENT_WEIGHTS_GRADIENT, run->parameter_gradients[WEIGHT] },
        { THAW_ARGUMENT_BIAS_GRADIENT, d->bias ? run->parameter_gradients[BIAS] : NULL },
    };
    return thaw_kernel_run(d->backward_weights, bindings, THAW_COUNT(bindings), run->scratch);
}

static thaw_status input_gradient(const thaw_layer_run *run, const dense *d)
{
    thaw_weight_copy copy;
    const thaw_status status = thaw_weight_copy_for_backward(&d->copies, run, &copy);
    if (status != THAW_OK)
        return status;
    const thaw_binding bindings[] = {
        { THAW_ARGUMENT_DESTINATION_GRADIENT, run->output_gradient },
        { THAW_ARGUMENT_WEIGHTS, copy.weight },
        { THAW_ARGUMENT_SOURCE_GRADIENT, run->input_gradients[0] },
    };
    return thaw_kernel_run(d->backward_data, bindings, THAW_COUNT(bindings), copy.scratch);
}

static thaw_status backward(const thaw_layer_run *run)
{
    const dense *d = run->state;
    thaw_status status = d->backward_weights ? weight_gradient(run, d) : THAW_OK;
    if (d->sums_bias)
        thaw_column_sum(run->context, d->rows, d->units, d->precision, run->output_gradient,
                        run->parameter_gradients[BIAS], run->scratch);
    if (d->copies.folds)
        thaw_fold_gradients(&d->copies.fold, run);
    if (d->residual && run->input_gradients[1])
        thaw_values_copy(run->context, d->precision, run->input_gradients[1], run->output_gradient, d->rows * d->units);
    if (status == THAW_OK && d->backward_data)
        status = input_gradient(run, d);
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
    thaw_inner_product problem = problem_of(demand);
    const way chosen = choose_way(demand, &problem);
    problem.packed = chosen == PACKED;
    if (thaw_row_product_suits(&problem) && !thaw_row_product_activates(epilogue->activation))
        return false;
    return chosen != SWAPPED ||
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
