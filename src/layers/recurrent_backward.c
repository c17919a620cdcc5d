/* Backward through time: the gradients of the gates step by step, from the last to the first, in one parallel
   region. Then the gradients of weights and input, for all steps at once. */
#include <string.h>

#include "core/threads.h"
#include "layers/column_sum.h"
#include "layers/recurrent.h"

typedef struct pass {
    const thaw_recurrent *r;
    const thaw_layer_run *run;
    float *panels, *gates, *hidden_gates, *hidden, *cell_state, *carry;
} pass;

/* The gradients of the hidden state after a step, through the next step. */
static void multiply(const pass *p, size_t step, size_t block, size_t first_row, size_t rows, float *product)
{
    const thaw_recurrent *r = p->r;
    if (step + 1 == r->steps) {
        memset(product, 0, rows * THAW_BLOCK * sizeof *product);
        return;
    }
    const thaw_matrix gates = thaw_recurrent_matrix(r, p->hidden_gates, r->row, step + 1);
    r->product(rows, r->row, gates.first + first_row * gates.stride, gates.stride,
               p->panels + block * r->row * THAW_BLOCK, product);
}

static thaw_const_matrix output_gradient(const pass *p, size_t step)
{
    const thaw_recurrent *r = p->r;
    const float *gradient = p->run->output_gradient;
    if (!r->last_only)
        return (thaw_const_matrix){ gradient + thaw_recurrent_time(r, step) * r->units, r->steps * r->units };
    return (thaw_const_matrix){ step + 1 == r->steps ? gradient : NULL, r->units };
}

static thaw_matrix view(thaw_matrix rows, size_t row, size_t unit)
{
    return (thaw_matrix){ rows.first + row * rows.stride + unit, rows.stride };
}

static thaw_const_matrix constant_view(thaw_const_matrix rows, size_t row, size_t unit)
{
    return (thaw_const_matrix){ rows.first ? rows.first + row * rows.stride + unit : NULL, rows.stride };
}

static void run_rows(const pass *p, size_t step, size_t block, size_t row, size_t rows)
{
    const thaw_recurrent *r = p->r;
    const size_t unit = block * THAW_BLOCK, stride = (r->steps + 1) * r->units;
    const thaw_matrix hidden = thaw_recurrent_matrix(r, p->hidden, r->units, step);
    _Alignas(64) float product[THAW_CELL_ROWS * THAW_BLOCK];
    multiply(p, step, block, row, rows, product);
    thaw_cell_backward work = {
        .rows = rows,
        .count = thaw_recurrent_count(r, block),
        .units = r->units,
        .product = product,
        .output_gradient = constant_view(output_gradient(p, step), row, unit),
        .gates = view(thaw_recurrent_matrix(r, p->gates, r->row, step), row, unit),
        .hidden_gates = view(thaw_recurrent_matrix(r, p->hidden_gates, r->row, step), row, unit),
        .carry = view((thaw_matrix){ p->carry, r->units }, row, unit),
        .hidden = constant_view((thaw_const_matrix){ hidden.first, hidden.stride }, row, unit),
    };
    if (r->cell->states > 1) {
        work.cell_state = constant_view((thaw_const_matrix){ p->cell_state + step * r->units, stride }, row, unit);
        work.next_cell_state =
            constant_view((thaw_const_matrix){ p->cell_state + (step + 1) * r->units, stride }, row, unit);
    }
    r->cell->backward(&work);
}

static void run_piece(const void *argument, size_t step, size_t block, size_t first_row, size_t past_row)
{
    for (size_t row = first_row; row < past_row; row += THAW_CELL_ROWS)
        run_rows(argument, step, block, row, past_row - row < THAW_CELL_ROWS ? past_row - row : THAW_CELL_ROWS);
}

static void clear_carry(const pass *p, int thread, int threads)
{
    const size_t count = p->r->batch * p->r->units;
    const size_t first = count * (size_t)thread / (size_t)threads,
                 past = count * (size_t)(thread + 1) / (size_t)threads;
    memset(p->carry + first, 0, (past - first) * sizeof *p->carry);
}

static void run_steps(void *argument, int thread, int threads)
{
    const pass *p = argument;
    clear_carry(p, thread, threads);
    for (size_t step = p->r->steps; step-- > 0;) {
        thaw_barrier(threads);
        thaw_recurrent_share(p->r, thread, threads, run_piece, p, step);
    }
}

/* The gradient of the hidden state before the first step: through all gates, and what a GRU carries. */
static void write_initial_hidden(const pass *p, float *into, size_t stride)
{
    const thaw_recurrent *r = p->r;
    const thaw_matrix gates = thaw_recurrent_matrix(r, p->hidden_gates, r->row, 0);
    for (size_t n = 0; n < r->batch; n++)
        for (size_t block = 0; block < r->blocks; block++) {
            _Alignas(64) float product[THAW_BLOCK];
            const size_t unit = block * THAW_BLOCK;
            r->product(1, r->row, gates.first + n * gates.stride, gates.stride, p->panels + block * r->row * THAW_BLOCK,
                       product);
            for (size_t u = 0; u < thaw_recurrent_count(r, block); u++)
                into[n * stride + unit + u] =
                    r->cell->states > 1 ? product[u] : product[u] + p->carry[n * r->units + unit + u];
        }
}

static void write_initial_cell(const pass *p, float *into, size_t stride)
{
    for (size_t n = 0; n < p->r->batch; n++)
        memcpy(into + n * stride, p->carry + n * p->r->units, p->r->units * sizeof *into);
}

/* The initial states are those of a whole stack, of which this node has a part. Its gradient for the rest is 0. */
static void write_initial_gradients(const pass *p)
{
    const thaw_recurrent *r = p->r;
    const size_t stride = r->places * r->units;
    for (size_t i = 0; i < r->initial_count; i++) {
        float *gradient = p->run->input_gradients[1 + i];
        if (!gradient)
            continue;
        memset(gradient, 0, r->batch * stride * sizeof *gradient);
        if (i == 0)
            write_initial_hidden(p, gradient + r->place * r->units, stride);
        else
            write_initial_cell(p, gradient + r->place * r->units, stride);
    }
}

/* Gradients of a weight and the bias beside it, from their input and the gradients of the gates. */
static thaw_status run_weights(const pass *p, thaw_kernel *kernel, const float *source, const float *gates,
                               size_t weight, size_t bias, bool sums_bias)
{
    const thaw_recurrent *r = p->r;
    float *const *gradients = p->run->parameter_gradients;
    void *scratch = thaw_recurrent_at(p->run->scratch, r->layout.kernels);
    if (sums_bias)
        thaw_column_sum(p->run->context, r->batch * r->steps, r->row, THAW_F32, gates, gradients[bias], scratch);
    if (!kernel)
        return THAW_OK;
    const thaw_binding bindings[] = {
        { THAW_ARGUMENT_SOURCE, source },
        { THAW_ARGUMENT_DESTINATION_GRADIENT, gates },
        { THAW_ARGUMENT_WEIGHTS_GRADIENT, gradients[weight] },
        { THAW_ARGUMENT_BIAS_GRADIENT, r->bias ? gradients[bias] : NULL },
    };
    return thaw_kernel_run(kernel, bindings, THAW_COUNT(bindings), scratch);
}

static thaw_status run_input_gradient(const pass *p)
{
    const thaw_recurrent *r = p->r;
    const thaw_binding bindings[] = {
        { THAW_ARGUMENT_DESTINATION_GRADIENT, p->gates },
        { THAW_ARGUMENT_WEIGHTS, p->run->parameters[THAW_WEIGHT_INPUT] },
        { THAW_ARGUMENT_SOURCE_GRADIENT, p->run->input_gradients[0] },
    };
    return r->input_gradient ? thaw_kernel_run(r->input_gradient, bindings, THAW_COUNT(bindings),
                                               thaw_recurrent_at(p->run->scratch, r->layout.kernels))
                             : THAW_OK;
}

thaw_status thaw_recurrent_backward(const thaw_layer_run *run)
{
    const thaw_recurrent *r = run->state;
    const thaw_recurrent_layout *l = &r->layout;
    pass p = {
        .r = r,
        .run = run,
        .panels = thaw_recurrent_at(run->packed, l->backward_panels),
        .gates = thaw_recurrent_at(run->workspace, l->gates),
        .hidden_gates = thaw_recurrent_at(run->workspace, r->cell->states > 1 ? l->gates : l->hidden_gates),
        .hidden = thaw_recurrent_at(run->workspace, l->hidden),
        .cell_state = thaw_recurrent_at(run->workspace, l->cell_state),
        .carry = thaw_recurrent_at(run->scratch, l->carry),
    };
    thaw_recurrent_run(r, run->context, run_steps, &p);
    write_initial_gradients(&p);
    thaw_status status = run_weights(&p, r->input_weight_gradient, run->inputs[0], p.gates, THAW_WEIGHT_INPUT,
                                     THAW_BIAS_INPUT, r->sums_input_bias);
    if (status == THAW_OK)
        status = run_weights(&p, r->hidden_weight_gradient, p.hidden, p.hidden_gates, THAW_WEIGHT_HIDDEN,
                             THAW_BIAS_HIDDEN, r->sums_hidden_bias);
    return status == THAW_OK ? run_input_gradient(&p) : status;
}
