#include "layers/weighted.h"

#include "kernels/bfloat16.h"
#include "layers/column_sum.h"

enum { WEIGHT, BIAS };

/* ---- building ---- */

thaw_status thaw_weighted_register(thaw_layer_builder *builder, const thaw_weighted_parameters *p)
{
    const thaw_parameter_specification weight = {
        .name = "weight",
        .role = THAW_WEIGHT,
        .shape = p->weight,
        .initializer = p->initializer,
        .fan_in = p->fan_in,
        .fan_out = p->fan_out,
        .transposed = p->transposed,
    };
    const thaw_parameter_specification bias = {
        .name = "bias",
        .role = THAW_BIAS,
        .shape = { 1, { p->outputs } },
        .initializer = p->bias_initializer,
        .fan_in = p->fan_in,
        .fan_out = p->fan_out,
    };
    const thaw_status status = thaw_builder_parameter(builder, &weight);
    return status == THAW_OK && !p->no_bias ? thaw_builder_parameter(builder, &bias) : status;
}

thaw_status thaw_weighted_check_groups(thaw_layer_builder *builder, int64_t groups, int64_t channels, int64_t filters)
{
    if (filters < 1)
        return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT, "filters is %lld, must be at least 1",
                                 (long long)filters);
    if (groups < 1 || channels % groups || filters % groups)
        return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT,
                                 "groups is %lld, must divide %lld input channels and %lld filters", (long long)groups,
                                 (long long)channels, (long long)filters);
    return THAW_OK;
}

/* The gradients of a low-rank change do not know channel maps. A change that is added after the layer's own kernel
   leaves no place for a residual. */
bool thaw_weighted_takes_epilogue(const thaw_layer_demand *demand)
{
    const thaw_epilogue *epilogue = &demand->capabilities->epilogue;
    return (demand->capabilities->low_rank.rank == 0 || !epilogue->maps_channels) &&
           (!demand->capabilities->low_rank.beside || !epilogue->residual);
}

/* ---- preparing ---- */

void thaw_weighted_begin(const thaw_layer_demand *demand, thaw_weighted *w)
{
    w->outputs = (size_t)demand->output.dims[demand->output.rank - 1];
    w->rows = (size_t)demand->batch * (thaw_shape_count(&demand->output) / w->outputs);
    w->precision = demand->capabilities->precision;
    w->bias = demand->parameter_count > BIAS;
    w->bias_trains = w->bias && demand->parameter_gradient[BIAS];
    w->residual = demand->capabilities->epilogue.residual;
}

thaw_status thaw_weighted_create_branch(const thaw_layer_demand *demand, const thaw_inner_product *dense,
                                        const thaw_convolution *convolution, thaw_weighted *w)
{
    if (demand->capabilities->low_rank.rank == 0)
        return THAW_OK;
    const thaw_low_rank_branch_problem problem = {
        .demand = demand->capabilities->low_rank,
        .rows = w->rows,
        .outputs = w->outputs,
        .input_count = (size_t)demand->batch * thaw_shape_count(&demand->inputs[0]),
        .input_gradient = demand->input_gradient[0],
        .activation = demand->capabilities->epilogue.activation,
        .dense = dense,
        .convolution = convolution,
    };
    return thaw_low_rank_branch_create(demand->context, &problem, &w->branch);
}

static size_t scratch_bytes(const thaw_weighted *w)
{
    const size_t candidates[] = {
        thaw_weight_copies_scratch_bytes(&w->copies, w->forward, w->backward_data),
        thaw_weight_gradient_scratch_bytes(&w->gradient),
        thaw_low_rank_branch_scratch_bytes(w->branch),
        w->sums_bias ? thaw_column_sum_scratch_bytes(w->rows, w->outputs) : 0,
    };
    size_t most = 0;
    for (size_t i = 0; i < THAW_COUNT(candidates); i++)
        most = candidates[i] > most ? candidates[i] : most;
    return most;
}

thaw_status thaw_weighted_end(const thaw_layer_demand *demand, thaw_weighted *w, thaw_layer_needs *needs)
{
    const thaw_status status = thaw_weight_copies_place(demand, w->forward, w->backward_data, &w->copies);
    if (status != THAW_OK)
        return status;
    w->sums_bias = w->bias_trains && !thaw_kernel_sums_bias(w->gradient.kernel);
    needs->state = w;
    needs->packed_bytes = thaw_weight_copies_packed_bytes(&w->copies);
    needs->capabilities->lets_go[WEIGHT] = w->copies.packed;
    needs->scratch_bytes = scratch_bytes(w);
    needs->workspace_bytes = thaw_low_rank_branch_workspace_bytes(w->branch);
    needs->keeps_inputs = w->gradient.kernel || thaw_low_rank_branch_keeps_input(w->branch);
    if (w->forward)
        needs->kernel = thaw_kernel_name(w->forward);
    return THAW_OK;
}

void thaw_weighted_release(thaw_context *context, void *state)
{
    thaw_weighted *w = state;
    thaw_kernel_release(context, w->forward);
    thaw_kernel_release(context, w->backward_data);
    thaw_weight_gradient_release(context, &w->gradient);
    thaw_weight_copies_release(context, &w->copies);
    thaw_low_rank_branch_release(context, w->branch);
    thaw_release(context, w);
}

/* ---- running ---- */

thaw_status thaw_weighted_pack(const thaw_layer_run *run)
{
    const thaw_weighted *w = run->state;
    return thaw_weight_copies_pack(&w->copies, run);
}

bool thaw_weighted_packs_alike(const void *state, const void *other)
{
    const thaw_weighted *one = state, *two = other;
    return thaw_weight_copies_alike(&one->copies, &two->copies);
}

void thaw_weighted_unpack(const thaw_layer_run *run, size_t parameter, size_t first, size_t count, float *values)
{
    const thaw_weighted *w = run->state;
    (void)parameter; /* always the weight */
    thaw_weight_copies_unpack(&w->copies, run, first, count, values);
}

static thaw_status multiply(const thaw_layer_run *run)
{
    const thaw_weighted *w = run->state;
    thaw_weight_copy copy;
    const thaw_status status = thaw_weight_copy_for_forward(&w->copies, run, &copy);
    if (status != THAW_OK)
        return status;
    const bool beside = w->residual == THAW_RESIDUAL_BESIDE && !w->copies_residual;
    if (w->copies_residual)
        thaw_values_copy(run->context, w->precision, run->output, run->inputs[1], w->rows * w->outputs);
    const thaw_binding bindings[] = {
        { w->transposed ? THAW_ARGUMENT_DESTINATION_GRADIENT : THAW_ARGUMENT_SOURCE, run->inputs[0] },
        { THAW_ARGUMENT_WEIGHTS, copy.weight },
        { THAW_ARGUMENT_BIAS, thaw_weight_copies_bias(&w->copies, run) },
        { THAW_ARGUMENT_RESIDUAL, beside ? run->inputs[1] : NULL },
        { w->transposed ? THAW_ARGUMENT_SOURCE_GRADIENT : THAW_ARGUMENT_DESTINATION, run->output },
    };
    return thaw_kernel_run(w->forward, bindings, THAW_COUNT(bindings), copy.scratch);
}

thaw_status thaw_weighted_add_branch(const thaw_weighted *w, const thaw_layer_run *run)
{
    return w->branch ? thaw_low_rank_branch_forward(w->branch, run) : THAW_OK;
}

thaw_status thaw_weighted_forward(const thaw_layer_run *run)
{
    const thaw_status status = multiply(run);
    return status == THAW_OK ? thaw_weighted_add_branch(run->state, run) : status;
}

static thaw_status parameter_gradients(const thaw_weighted *w, const thaw_layer_run *run)
{
    const thaw_weight_gradient_run gradient = {
        .source = w->transposed ? run->output_gradient : run->inputs[0],
        .destination_gradient = w->transposed ? run->inputs[0] : run->output_gradient,
        .weight = run->parameter_gradients[WEIGHT],
        .bias = w->bias ? run->parameter_gradients[BIAS] : NULL,
        .scratch = run->scratch,
    };
    const thaw_status status = thaw_weight_gradient_write(&w->gradient, &gradient);
    if (w->sums_bias)
        thaw_column_sum(run->context, w->rows, w->outputs, w->precision, run->output_gradient,
                        run->parameter_gradients[BIAS], run->scratch);
    if (w->copies.folds)
        thaw_fold_gradients(&w->copies.fold, run);
    return status;
}

static thaw_status input_gradient(const thaw_weighted *w, const thaw_layer_run *run)
{
    thaw_weight_copy copy;
    const thaw_status status = thaw_weight_copy_for_backward(&w->copies, run, &copy);
    if (status != THAW_OK)
        return status;
    const thaw_binding bindings[] = {
        { w->transposed ? THAW_ARGUMENT_SOURCE : THAW_ARGUMENT_DESTINATION_GRADIENT, run->output_gradient },
        { THAW_ARGUMENT_WEIGHTS, copy.weight },
        { w->transposed ? THAW_ARGUMENT_DESTINATION : THAW_ARGUMENT_SOURCE_GRADIENT, run->input_gradients[0] },
    };
    return thaw_kernel_run(w->backward_data, bindings, THAW_COUNT(bindings), copy.scratch);
}

thaw_status thaw_weighted_backward(const thaw_layer_run *run)
{
    const thaw_weighted *w = run->state;
    thaw_status status = parameter_gradients(w, run);
    if (w->residual && run->input_gradients[1])
        thaw_values_copy(run->context, w->precision, run->input_gradients[1], run->output_gradient,
                         w->rows * w->outputs);
    if (status == THAW_OK && w->backward_data)
        status = input_gradient(w, run);
    return status == THAW_OK && w->branch ? thaw_low_rank_branch_backward(w->branch, run) : status;
}
