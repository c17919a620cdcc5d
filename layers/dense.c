/* Dense: y = x W^T + b, for each row of the input. */
#include <thaw/layer_capabilities.h>
#include <thaw/layer_module.h>
#include <thaw/layers.h>

#include "kernels/best_inner_product.h"
#include "kernels/choice.h"
#include "kernels/product_bound.h"
#include "kernels/row_product.h"
#include "layers/swapped_dense.h"
#include "layers/weighted.h"

enum { WEIGHT, BIAS };

typedef struct dense {
    thaw_weighted weighted;
    thaw_swapped_dense swapped; /* how forward runs if weighted.forward is NULL */
    size_t inputs;
    bool bounds_gradient; /* the product's factors tell whether the weight's gradient is finite, and are smaller */
} dense;

static thaw_status build(thaw_layer_builder *builder, const void *options)
{
    const thaw_dense_options *o = options;
    const thaw_shape *input = thaw_builder_input(builder, 0);
    if (input->rank < 1)
        return thaw_builder_fail(builder, THAW_SHAPE_MISMATCH, "the input is a number, must be [..., features]");
    if (o->units < 1)
        return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT, "units is %lld, must be at least 1",
                                 (long long)o->units);
    thaw_shape output = *input;
    output.dims[output.rank - 1] = o->units;
    const int64_t inputs = input->dims[input->rank - 1];
    const double features = (double)inputs, units = (double)o->units;
    const thaw_weighted_parameters parameters = {
        .weight = { 2, { o->units, inputs } },
        .outputs = o->units,
        .fan_in = features,
        .fan_out = units,
        .initializer = o->initializer,
        .bias_initializer = o->bias_initializer,
        .no_bias = o->no_bias,
        .transposed = o->transposed,
    };
    const thaw_status status = thaw_weighted_register(builder, &parameters);
    thaw_builder_flops(builder, 2 * (double)thaw_shape_count(input) * units);
    return status == THAW_OK ? thaw_builder_output(builder, &output) : status;
}

static thaw_dense_packing choose_packing(const thaw_layer_demand *demand, const thaw_inner_product *product)
{
    const bool replaced = demand->capabilities->low_rank.rank > 0 && !demand->capabilities->low_rank.beside;
    return thaw_choose_dense_packing(product, demand->parameter_gradient[WEIGHT] || replaced);
}

static void release(thaw_context *context, void *state)
{
    dense *d = state;
    thaw_swapped_dense_release(context, &d->swapped);
    thaw_weighted_release(context, d);
}

/* What forward computes. `packed` is not decided yet. */
static thaw_inner_product problem_of(const thaw_layer_demand *demand)
{
    const int64_t inputs = demand->parameters[WEIGHT].dims[1], outputs = demand->parameters[WEIGHT].dims[0];
    return (thaw_inner_product){
        .batch = demand->batch * (int64_t)thaw_shape_count(&demand->output) / outputs,
        .inputs = inputs,
        .outputs = outputs,
        .precision = demand->capabilities->precision,
        .bias = demand->parameter_count > BIAS || demand->capabilities->epilogue.maps_channels,
        .after = { demand->capabilities->epilogue.residual, demand->capabilities->epilogue.activation },
        .training = demand->training,
    };
}

static thaw_status create_kernels(const thaw_layer_demand *demand, dense *d)
{
    const bool rounds = demand->capabilities->precision != THAW_F32; /* the weight: backward needs a copy of its own */
    thaw_weighted *w = &d->weighted;
    thaw_inner_product problem = problem_of(demand);
    const thaw_dense_packing packing = choose_packing(demand, &problem);
    problem.packed = packing == THAW_PACK_WEIGHT;
    if (demand->capabilities->low_rank.beside)
        problem.after.activation = THAW_ACTIVATION_NONE; /* applied once the change has been added */
    thaw_status status =
        packing == THAW_PACK_INPUT
            ? thaw_swapped_dense_create(demand->context, &problem, &d->swapped)
            : thaw_best_inner_product_forward(demand->context, &problem, &w->forward, &w->copies.pack_forward);
    if (status == THAW_OK && demand->input_gradient[0])
        status = thaw_inner_product_backward_data(demand->context, &problem, &w->backward_data,
                                                  rounds ? &w->copies.pack_backward : NULL);
    if (status == THAW_OK)
        status = thaw_weighted_create_branch(demand, &problem, NULL, w);
    problem.bias = w->bias_trains;
    if (status == THAW_OK && demand->parameter_gradient[WEIGHT])
        status = thaw_best_inner_product_backward_weights(demand->context, &problem, &w->gradient.kernel);
    return status;
}

/* In bfloat16, or through a channel map, the gradient is not just the product. */
static bool bounds_gradient(const thaw_layer_demand *demand, const dense *d)
{
    const size_t rows = d->weighted.rows, outputs = d->weighted.outputs;
    return demand->parameter_gradient[WEIGHT] && demand->capabilities->precision == THAW_F32 &&
           !demand->capabilities->epilogue.maps_channels && demand->capabilities->low_rank.rank == 0 &&
           rows * (d->inputs + outputs) < d->inputs * outputs;
}

static thaw_status prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    dense *d = thaw_allocate(demand->context, sizeof *d);
    if (!d)
        return THAW_OUT_OF_MEMORY;
    thaw_weighted_begin(demand, &d->weighted);
    d->inputs = (size_t)demand->parameters[WEIGHT].dims[1];
    d->bounds_gradient = bounds_gradient(demand, d);
    thaw_status status = create_kernels(demand, d);
    if (status == THAW_OK)
        status = thaw_weighted_end(demand, &d->weighted, needs);
    if (status != THAW_OK) {
        release(demand->context, d);
        return status;
    }
    if (!d->weighted.forward) {
        const size_t scratch_bytes = thaw_swapped_dense_scratch_bytes(&d->swapped);
        needs->scratch_bytes = scratch_bytes > needs->scratch_bytes ? scratch_bytes : needs->scratch_bytes;
        needs->kernel = thaw_kernel_name(d->swapped.product);
    }
    return THAW_OK;
}

static thaw_status forward(const thaw_layer_run *run)
{
    const dense *d = run->state;
    if (d->weighted.forward)
        return thaw_weighted_forward(run);
    const thaw_status status = thaw_swapped_dense_run(&d->swapped, run, run->parameters[WEIGHT],
                                                      thaw_weight_copies_bias(&d->weighted.copies, run));
    return status == THAW_OK ? thaw_weighted_add_branch(&d->weighted, run) : status;
}

/* Each element of the weight's gradient is a sum over rows. */
static thaw_status backward(const thaw_layer_run *run)
{
    const dense *d = run->state;
    const size_t rows = d->weighted.rows;
    bool *finite = run->capabilities->finite[WEIGHT];
    if (finite && d->bounds_gradient)
        *finite = thaw_products_are_finite(run->context, rows, run->inputs[0], rows * d->inputs, run->output_gradient,
                                           rows * d->weighted.outputs);
    return thaw_weighted_backward(run);
}

/* A product with swapped operands, which is chosen for weights that train, can only apply ReLU. */
static bool takes_epilogue(const thaw_layer_demand *demand)
{
    const thaw_epilogue *epilogue = &demand->capabilities->epilogue;
    if (!thaw_weighted_takes_epilogue(demand))
        return false;
    if (demand->capabilities->low_rank.beside)
        return true;
    thaw_inner_product problem = problem_of(demand);
    const thaw_dense_packing packing = choose_packing(demand, &problem);
    problem.packed = packing == THAW_PACK_WEIGHT;
    if (thaw_choose_row_product(&problem) && !thaw_row_product_activates(epilogue->activation))
        return false;
    return packing != THAW_PACK_INPUT ||
           (!epilogue->maps_channels && !epilogue->residual && epilogue->activation <= THAW_ACTIVATION_RELU);
}

static bool takes_low_rank(const void *options, size_t parameter)
{
    (void)options;
    return parameter == WEIGHT;
}

/* A row is a Gemm; of several rows a sample, each is multiplied by the transposed weight. */
static thaw_status export_onnx(const thaw_layer_export *layer)
{
    const thaw_onnx_attribute transposed = { .name = "transB", .integer = 1 };
    const thaw_onnx_attribute permutation = {
        .name = "perm", .kind = THAW_ONNX_INTEGERS, .integers = { 1 }, .count = 2
    };
    thaw_onnx_value *x = thaw_onnx_input(layer, 0, THAW_CHANNELS_LAST), *weight = thaw_onnx_parameter(layer, WEIGHT);
    thaw_onnx_value *bias = thaw_onnx_parameter(layer, BIAS);
    if (layer->inputs[0].rank == 1) {
        x = thaw_onnx_append(layer, &(thaw_onnx_operator){
                                        .kind = "Gemm", .inputs = { x, weight, bias }, .attributes = { transposed } });
        return thaw_onnx_output(layer, x, THAW_CHANNELS_LAST);
    }
    weight = thaw_onnx_apply(layer, "Transpose", weight, NULL, &permutation);
    x = thaw_onnx_apply(layer, "MatMul", x, weight, NULL);
    if (bias)
        x = thaw_onnx_apply(layer, "Add", x, bias, NULL);
    return thaw_onnx_output(layer, x, THAW_CHANNELS_LAST);
}

static const thaw_layer_capabilities capabilities = {
    .size = sizeof(thaw_layer_capabilities),
    .takes_epilogue = takes_epilogue,
    .bfloat16 = THAW_BFLOAT16_CHOSEN,
    .takes_low_rank = takes_low_rank,
    .unpack = thaw_weighted_unpack,
    .packs_alike = thaw_weighted_packs_alike,
};

static const thaw_layer_module module = {
    .size = sizeof(thaw_layer_module),
    .abi = THAW_LAYER_ABI,
    .name = "dense",
    .options_size = sizeof(thaw_dense_options),
    .capabilities = &capabilities,
    .build = build,
    .prepare = prepare,
    .pack = thaw_weighted_pack,
    .forward = forward,
    .backward = backward,
    .release = release,
    .export_onnx = export_onnx,
};

thaw_status thaw_dense(thaw_model *model, thaw_node input, const thaw_dense_options *options, thaw_node *output)
{
    const thaw_dense_options settings = options ? *options : (thaw_dense_options){ 0 };
    return thaw_model_append(model, &module, settings.name, &input, 1, &settings, output);
}
