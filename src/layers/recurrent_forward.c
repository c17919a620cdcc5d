/* Forward through time in training: the input's part of the gates for all steps at once, then the previous state's
   part step by step, in one parallel region. */
#include <string.h>

#include "core/threads.h"
#include "layers/recurrent.h"

typedef struct pass {
    const thaw_recurrent *r;
    const thaw_layer_run *run;
    float *panels, *bias, *none;
} pass;

static thaw_const_matrix constant(thaw_matrix rows)
{
    return (thaw_const_matrix){ rows.first, rows.stride };
}

/* Rows of the given hidden (0) or cell (1) state before the first step; zeros if none was given. */
static thaw_const_matrix initial_rows(const pass *p, size_t which)
{
    const thaw_recurrent *r = p->r;
    if (r->initial_count <= which)
        return (thaw_const_matrix){ p->none, 0 };
    const float *given = p->run->inputs[1 + which];
    return (thaw_const_matrix){ given + r->place * r->units, r->places * r->units };
}

static thaw_matrix output_rows(const pass *p, size_t step)
{
    return p->r->last_only ? (thaw_matrix){ p->run->output, p->r->units }
                           : thaw_recurrent_matrix(p->r, p->run->output, p->r->units, step);
}

/* The hidden state before a step, which is kept. */
static thaw_matrix hidden_before(const pass *p, size_t step)
{
    return thaw_recurrent_matrix(p->r, thaw_recurrent_at(p->run->workspace, p->r->layout.hidden), p->r->units, step);
}

static thaw_matrix hidden_after(const pass *p, size_t step)
{
    return step + 1 == p->r->steps ? output_rows(p, step) : hidden_before(p, step + 1);
}

/* The cell before a step. Those of a sample are kept side by side, including the one after the last step. */
static thaw_matrix cell_state_before(const pass *p, size_t step)
{
    const thaw_recurrent *r = p->r;
    float *cell_state = thaw_recurrent_at(p->run->workspace, r->layout.cell_state);
    return (thaw_matrix){ cell_state + step * r->units, (r->steps + 1) * r->units };
}

static void copy_rows(thaw_matrix into, thaw_const_matrix from, size_t first, size_t past, size_t count)
{
    for (size_t n = first; n < past; n++)
        memcpy(into.first + n * into.stride, from.first + n * from.stride, count * sizeof(float));
}

static void start(const pass *p, int thread, int threads)
{
    const thaw_recurrent *r = p->r;
    const size_t first = r->batch * (size_t)thread / (size_t)threads;
    const size_t past = r->batch * (size_t)(thread + 1) / (size_t)threads;
    copy_rows(hidden_before(p, 0), initial_rows(p, 0), first, past, r->units);
    if (r->cell->states > 1)
        copy_rows(cell_state_before(p, 0), initial_rows(p, 1), first, past, r->units);
}

/* The hidden state's part of the gates. Zeros before the first step if the state starts from zeros. */
static void multiply(const pass *p, size_t step, size_t block, size_t first_row, size_t rows, float *product)
{
    const thaw_recurrent *r = p->r;
    const size_t matrix = THAW_CELL_ROWS * THAW_BLOCK, panel = r->units * THAW_BLOCK;
    const thaw_matrix hidden = hidden_before(p, step);
    for (size_t q = 0; q < r->cell->gates; q++)
        if (step == 0 && r->initial_count == 0)
            memset(product + q * matrix, 0, rows * THAW_BLOCK * sizeof *product);
        else
            r->product(rows, r->units, hidden.first + first_row * hidden.stride, hidden.stride,
                       p->panels + (block * r->cell->gates + q) * panel, product + q * matrix);
}

static thaw_matrix view(thaw_matrix rows, size_t row, size_t unit)
{
    return (thaw_matrix){ rows.first + row * rows.stride + unit, rows.stride };
}

static thaw_const_matrix constant_view(thaw_const_matrix rows, size_t row, size_t unit)
{
    return (thaw_const_matrix){ rows.first + row * rows.stride + unit, rows.stride };
}

static void run_rows(const pass *p, size_t step, size_t block, size_t row, size_t rows)
{
    const thaw_recurrent *r = p->r;
    const size_t unit = block * THAW_BLOCK, count = thaw_recurrent_count(r, block);
    _Alignas(64) float product[THAW_MOST_GATES * THAW_CELL_ROWS * THAW_BLOCK];
    multiply(p, step, block, row, rows, product);
    const thaw_matrix next = view(hidden_after(p, step), row, unit);
    thaw_cell_forward work = {
        .rows = rows,
        .count = count,
        .units = r->units,
        .product = product,
        .bias = p->bias + block * r->cell->gates * THAW_BLOCK,
        .gates = view(thaw_recurrent_matrix(r, thaw_recurrent_at(p->run->workspace, r->layout.gates), r->row, step),
                      row, unit),
        .keep = true,
        .hidden = constant_view(constant(hidden_before(p, step)), row, unit),
        .next_hidden = next,
    };
    if (r->cell->states > 1) {
        work.cell_state = constant_view(constant(cell_state_before(p, step)), row, unit);
        work.next_cell_state = view(cell_state_before(p, step + 1), row, unit);
    } else {
        float *hidden_gates = thaw_recurrent_at(p->run->workspace, r->layout.hidden_gates);
        work.hidden_gates = view(thaw_recurrent_matrix(r, hidden_gates, r->row, step), row, unit);
    }
    r->cell->forward(&work);
    if (!r->last_only && step + 1 < r->steps)
        copy_rows(view(output_rows(p, step), row, unit), constant(next), 0, rows, count);
}

static void run_piece(const void *argument, size_t step, size_t block, size_t first_row, size_t past_row)
{
    for (size_t row = first_row; row < past_row; row += THAW_CELL_ROWS)
        run_rows(argument, step, block, row, past_row - row < THAW_CELL_ROWS ? past_row - row : THAW_CELL_ROWS);
}

static void run_steps(void *argument, int thread, int threads)
{
    const pass *p = argument;
    start(p, thread, threads);
    for (size_t step = 0; step < p->r->steps; step++) {
        thaw_barrier(threads);
        thaw_recurrent_share(p->r, thread, threads, run_piece, p, step);
    }
}

thaw_status thaw_recurrent_forward(const thaw_layer_run *run)
{
    const thaw_recurrent *r = run->state;
    if (!r->training) {
        thaw_recurrent_inference_forward(run);
        return THAW_OK;
    }
    pass p = {
        .r = r,
        .run = run,
        .panels = thaw_recurrent_at(run->packed, r->layout.panels),
        .bias = thaw_recurrent_at(run->packed, r->layout.bias),
        .none = thaw_recurrent_at(run->scratch, r->layout.none),
    };
    const thaw_binding bindings[] = {
        { THAW_ARGUMENT_SOURCE, run->inputs[0] },
        { THAW_ARGUMENT_WEIGHTS,
          r->pack_input ? thaw_recurrent_at(run->packed, r->layout.input_weight) : run->parameters[THAW_WEIGHT_INPUT] },
        { THAW_ARGUMENT_BIAS, r->bias ? run->parameters[THAW_BIAS_INPUT] : NULL },
        { THAW_ARGUMENT_DESTINATION, thaw_recurrent_at(run->workspace, r->layout.gates) },
    };
    const thaw_status status =
        thaw_kernel_run(r->input, bindings, THAW_COUNT(bindings), thaw_recurrent_at(run->scratch, r->layout.kernels));
    if (status != THAW_OK)
        return status;
    memset(p.none, 0, r->units * sizeof *p.none);
    thaw_recurrent_run(r, run->context, run_steps, &p);
    return THAW_OK;
}
