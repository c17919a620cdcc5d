#include "layers/recurrent.h"

#include <stdio.h>

#include "core/allocation.h"
#include "core/context.h"
#include "core/threads.h"
#include "kernels/best_inner_product.h"
#include "kernels/choice.h"
#include "layers/column_sum.h"

/* Adds a weight [rows, columns], or the bias beside it. By default all are uniform in +-1/sqrt(units), as in
   PyTorch. */
static thaw_status add_parameter(thaw_layer_builder *builder, const thaw_recurrent_node *o, const char *kind,
                                 thaw_role role, int64_t rows, int64_t columns)
{
    char name[64];
    snprintf(name, sizeof name, "%s%s", kind, o->suffix);
    const thaw_initializer initializer = role == THAW_BIAS ? o->bias_initializer : o->initializer;
    const thaw_shape weight = { 2, { rows, columns } }, bias = { 1, { rows } };
    const thaw_parameter_specification specification = {
        .name = name,
        .path = o->path,
        .role = role,
        .shape = role == THAW_BIAS ? bias : weight,
        .initializer = initializer,
        .fan_in = (double)(initializer == THAW_INITIAL_DEFAULT ? o->units : columns),
        .fan_out = (double)rows,
    };
    return thaw_builder_parameter(builder, &specification);
}

static thaw_status add_parameters(thaw_layer_builder *builder, const thaw_recurrent_node *o, int64_t rows,
                                  int64_t features)
{
    thaw_status status = add_parameter(builder, o, "weight_ih", THAW_WEIGHT, rows, features);
    if (status == THAW_OK)
        status = add_parameter(builder, o, "weight_hh", THAW_WEIGHT, rows, o->units);
    if (status == THAW_OK && !o->no_bias)
        status = add_parameter(builder, o, "bias_ih", THAW_BIAS, rows, features);
    if (status == THAW_OK && !o->no_bias)
        status = add_parameter(builder, o, "bias_hh", THAW_BIAS, rows, o->units);
    return status;
}

static thaw_status check_initial(thaw_layer_builder *builder, const thaw_recurrent_node *o)
{
    const thaw_shape wanted = { 2, { o->places, o->units } }, one = { 1, { o->units } };
    for (size_t i = 1; i < thaw_builder_input_count(builder); i++) {
        const thaw_shape *found = thaw_builder_input(builder, i);
        char text[80], expected[80];
        if (!thaw_shape_equal(found, &wanted) && !(o->places == 1 && thaw_shape_equal(found, &one)))
            return thaw_builder_fail(builder, THAW_SHAPE_MISMATCH, "an initial state has shape %s, must be %s",
                                     thaw_shape_format(found, text, sizeof text),
                                     thaw_shape_format(&wanted, expected, sizeof expected));
    }
    return THAW_OK;
}

thaw_status thaw_recurrent_build(thaw_layer_builder *builder, const void *options)
{
    const thaw_recurrent_node *o = options;
    const thaw_shape *input = thaw_builder_input(builder, 0);
    const int64_t gates = (int64_t)thaw_cell_of(o->cell, THAW_CPU_BASELINE)->gates;
    char text[80];
    if (input->rank != 2)
        return thaw_builder_fail(builder, THAW_SHAPE_MISMATCH, "the input has shape %s, must be [steps, features]",
                                 thaw_shape_format(input, text, sizeof text));
    if (o->units < 1 || o->units > INT64_MAX / gates)
        return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT, "units is %lld, must be from 1 to %lld",
                                 (long long)o->units, (long long)(INT64_MAX / gates));
    thaw_status status = check_initial(builder, o);
    if (status == THAW_OK)
        status = add_parameters(builder, o, gates * o->units, input->dims[1]);
    if (status != THAW_OK)
        return status;
    const double units = (double)o->units;
    thaw_builder_flops(builder, 2 * (double)input->dims[0] * (double)gates * units * ((double)input->dims[1] + units));
    return thaw_builder_output(builder, o->last_only ? &(thaw_shape){ 1, { o->units } }
                                                     : &(thaw_shape){ 2, { input->dims[0], o->units } });
}

void thaw_recurrent_release(thaw_context *context, void *state)
{
    thaw_recurrent *r = state;
    thaw_kernel_release(context, r->input);
    thaw_kernel_release(context, r->pack_input);
    thaw_kernel_release(context, r->input_gradient);
    thaw_kernel_release(context, r->input_weight_gradient);
    thaw_kernel_release(context, r->hidden_weight_gradient);
    thaw_release(context, r);
}

static bool wants(const thaw_layer_demand *demand, size_t parameter)
{
    return parameter < demand->parameter_count && demand->parameter_gradient[parameter];
}

static thaw_status create_kernels(const thaw_layer_demand *demand, thaw_recurrent *r)
{
    thaw_context *context = demand->context;
    thaw_inner_product p = {
        .batch = demand->batch * demand->inputs[0].dims[0],
        .inputs = demand->inputs[0].dims[1],
        .outputs = (int64_t)r->row,
        .bias = r->bias,
        .training = true,
        .packed = thaw_choose_packed_input_weight(r->row, wants(demand, THAW_WEIGHT_INPUT)),
    };
    thaw_status status = thaw_best_inner_product_forward(context, &p, &r->input, &r->pack_input);
    if (status == THAW_OK && demand->input_gradient[0])
        status = thaw_inner_product_backward_data(context, &p, &r->input_gradient, NULL);
    p.bias = wants(demand, THAW_BIAS_INPUT);
    if (status == THAW_OK && wants(demand, THAW_WEIGHT_INPUT))
        status = thaw_best_inner_product_backward_weights(context, &p, &r->input_weight_gradient);
    p.bias = wants(demand, THAW_BIAS_HIDDEN);
    p.inputs = (int64_t)r->units;
    if (status == THAW_OK && wants(demand, THAW_WEIGHT_HIDDEN))
        status = thaw_best_inner_product_backward_weights(context, &p, &r->hidden_weight_gradient);
    r->sums_input_bias = wants(demand, THAW_BIAS_INPUT) && !thaw_kernel_sums_bias(r->input_weight_gradient);
    r->sums_hidden_bias = wants(demand, THAW_BIAS_HIDDEN) && !thaw_kernel_sums_bias(r->hidden_weight_gradient);
    return status;
}

static size_t kernel_scratch_bytes(const thaw_recurrent *r)
{
    const size_t candidates[] = {
        thaw_kernel_scratch_bytes(r->input),
        thaw_kernel_scratch_bytes(r->pack_input),
        thaw_kernel_scratch_bytes(r->input_gradient),
        thaw_kernel_scratch_bytes(r->input_weight_gradient),
        thaw_kernel_scratch_bytes(r->hidden_weight_gradient),
        r->sums_input_bias || r->sums_hidden_bias ? thaw_column_sum_scratch_bytes(r->batch * r->steps, r->row) : 0,
    };
    size_t most = 0;
    for (size_t i = 0; i < THAW_COUNT(candidates); i++)
        most = candidates[i] > most ? candidates[i] : most;
    return most;
}

static size_t reserve(size_t *memory, size_t floats)
{
    return thaw_recurrent_reserve(memory, floats * sizeof(float));
}

static void lay_out_training(thaw_recurrent *r)
{
    thaw_recurrent_layout l = { 0 };
    const thaw_gate_weight weight = thaw_recurrent_hidden_weight(r);
    const size_t rows = r->batch * r->steps, state = r->batch * r->units;
    const bool lstm = r->cell->states > 1;
    l.panels = thaw_recurrent_reserve(&l.packed_bytes, thaw_gate_panels_forward_bytes(&weight));
    l.bias = reserve(&l.packed_bytes, thaw_gate_panels_bias_count(&weight));
    l.backward_panels = thaw_recurrent_reserve(&l.packed_bytes, thaw_gate_panels_backward_bytes(&weight));
    l.input_weight = l.packed_bytes;
    l.packed_bytes += r->pack_input ? thaw_kernel_bytes(r->pack_input, THAW_ARGUMENT_DESTINATION) : 0;

    l.gates = reserve(&l.workspace_bytes, rows * r->row);
    l.hidden_gates = reserve(&l.workspace_bytes, lstm ? 0 : rows * r->row);
    l.hidden = reserve(&l.workspace_bytes, rows * r->units);
    l.cell_state = reserve(&l.workspace_bytes, lstm ? rows * r->units + state : 0);
    l.none = reserve(&l.scratch_bytes, r->units);
    l.carry = reserve(&l.scratch_bytes, state);
    l.kernels = l.scratch_bytes;
    l.scratch_bytes += kernel_scratch_bytes(r);
    r->layout = l;
}

/* Whether all sizes of a layout are far from an overflow. */
static bool fits(const thaw_recurrent *r)
{
    size_t floats;
    return thaw_multiply_sizes(r->batch, r->steps + 1, &floats) && thaw_multiply_sizes(floats, r->row, &floats) &&
           floats < SIZE_MAX / 1024;
}

static void set_sizes(const thaw_layer_demand *demand, thaw_recurrent *r)
{
    const thaw_recurrent_node *o = demand->options;
    const thaw_cpu_level level = demand->context->level;
    r->product = THAW_FOR_LEVEL(level, thaw_panel_product);
    r->product_bfloat16 = THAW_FOR_LEVEL_BF16(level, thaw_panel_product_bfloat16);
    r->cell = thaw_cell_of(o->cell, level);
    r->precision = demand->capabilities->precision;
    r->batch = (size_t)demand->batch;
    r->features = (size_t)demand->inputs[0].dims[1];
    r->steps = (size_t)demand->inputs[0].dims[0];
    r->units = (size_t)o->units;
    r->row = r->cell->gates * r->units;
    r->blocks = thaw_gate_panels_blocks(r->units);
    r->initial_count = demand->input_count - 1;
    r->place = (size_t)o->place;
    r->places = (size_t)o->places;
    r->reverse = o->reverse;
    r->last_only = o->last_only;
    r->bias = !o->no_bias;
    r->training = demand->training;
    r->alone = !thaw_choose_recurrent_team(r->batch, r->units, r->row);
    for (size_t i = 1; i < demand->input_count; i++)
        r->initial_gradient = r->initial_gradient || demand->input_gradient[i];
}

thaw_status thaw_recurrent_prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    thaw_recurrent *r = thaw_allocate(demand->context, sizeof *r);
    if (!r)
        return THAW_OUT_OF_MEMORY;
    set_sizes(demand, r);
    thaw_status status = THAW_OK;
    if (!fits(r))
        status =
            thaw_fail(demand->context, THAW_OUT_OF_MEMORY, "%s: %zu samples of %zu steps and %zu units overflow a size",
                      r->cell->name, r->batch, r->steps, r->units);
    else if (r->training)
        status = create_kernels(demand, r);
    if (status != THAW_OK) {
        thaw_recurrent_release(demand->context, r);
        return status;
    }
    if (r->training)
        lay_out_training(r);
    else
        thaw_recurrent_inference_lay_out(r);
    needs->state = r;
    needs->packed_bytes = r->layout.packed_bytes;
    needs->workspace_bytes = r->layout.workspace_bytes;
    needs->scratch_bytes = r->layout.scratch_bytes;
    needs->keeps_inputs = r->input_weight_gradient != NULL;
    needs->kernel = "panels";
    return THAW_OK;
}

thaw_status thaw_recurrent_pack(const thaw_layer_run *run)
{
    const thaw_recurrent *r = run->state;
    if (!r->training) {
        thaw_recurrent_inference_pack(run);
        return THAW_OK;
    }
    const thaw_gate_weight weight = thaw_recurrent_hidden_weight(r);
    const float *hidden = run->parameters[THAW_WEIGHT_HIDDEN];
    thaw_gate_panels_pack_forward(run->context, &weight, hidden, thaw_recurrent_at(run->packed, r->layout.panels));
    thaw_gate_panels_pack_bias(&weight, r->bias ? run->parameters[THAW_BIAS_HIDDEN] : NULL,
                               thaw_recurrent_at(run->packed, r->layout.bias));
    thaw_gate_panels_pack_backward(run->context, &weight, hidden,
                                   thaw_recurrent_at(run->packed, r->layout.backward_panels));
    const thaw_binding bindings[] = {
        { THAW_ARGUMENT_SOURCE, run->parameters[THAW_WEIGHT_INPUT] },
        { THAW_ARGUMENT_DESTINATION, thaw_recurrent_at(run->packed, r->layout.input_weight) },
    };
    return r->pack_input ? thaw_kernel_run(r->pack_input, bindings, THAW_COUNT(bindings),
                                           thaw_recurrent_at(run->scratch, r->layout.kernels))
                         : THAW_OK;
}
