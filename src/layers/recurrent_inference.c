/* Inference, in floats or in bfloat16. In bfloat16, the inputs, the weights and the hidden state that they multiply
   are rounded. Sums, gates, and all else that a step passes to the next one are floats.

   The input's part of the gates is computed where and when it is needed, so that it never leaves the caches, and for
   a few steps at once, so that fetching the weight pays. */
#include <string.h>

#include "core/context.h"
#include "core/threads.h"
#include "kernels/bfloat16.h"
#include "kernels/bfloat16_loops.h"
#include "layers/recurrent.h"

enum { AHEAD = 96 }; /* samples times steps of a chunk, which share one fetch of the input's weight */

typedef struct pass {
    const thaw_recurrent *r;
    const thaw_layer_run *run;
    const thaw_bfloat16_functions *loops;
    const char *panels, *input_panels;
    const float *bias, *input_bias; /* of the hidden state's and the input's part; rows per block */
    float *gates;                   /* the input's part: [blocks][gates][rows of a chunk][THAW_BLOCK] */
    float *hidden, *cell_state;     /* the states */
    char *alternating;              /* last step only: the hidden state after even steps, after odd ones */
} pass;

/* Rows of the layer's precision, one for each sample. */
typedef struct rows {
    char *first;
    size_t stride; /* in numbers */
} rows;

static rows rows_from(const thaw_recurrent *r, const void *data, size_t offset, size_t stride)
{
    return (rows){ (char *)(uintptr_t)data + offset * thaw_dtype_bytes(r->precision), stride };
}

static void *at(const thaw_recurrent *r, rows all, size_t row, size_t place)
{
    return all.first + (row * all.stride + place) * thaw_dtype_bytes(r->precision);
}

void thaw_recurrent_inference_lay_out(thaw_recurrent *r)
{
    thaw_recurrent_layout l = { 0 };
    const thaw_gate_weight hidden = thaw_recurrent_hidden_weight(r), input = thaw_recurrent_input_weight(r);
    const size_t ahead = AHEAD / r->batch < 1 ? 1 : AHEAD / r->batch, state = r->batch * r->units;
    const size_t bias = thaw_gate_panels_bias_count(&hidden);
    r->chunk = ahead < r->steps ? ahead : r->steps;
    l.panels = thaw_recurrent_reserve(&l.packed_bytes, thaw_gate_panels_forward_bytes(&hidden));
    l.input_panels = thaw_recurrent_reserve(&l.packed_bytes, thaw_gate_panels_forward_bytes(&input));
    l.bias = thaw_recurrent_reserve(&l.packed_bytes, bias * sizeof(float));
    l.input_bias = thaw_recurrent_reserve(&l.packed_bytes, bias * sizeof(float));
    l.gates = thaw_recurrent_reserve(&l.scratch_bytes, r->batch * r->chunk * bias * sizeof(float));
    l.hidden = thaw_recurrent_reserve(&l.scratch_bytes, state * sizeof(float));
    l.cell_state = thaw_recurrent_reserve(&l.scratch_bytes, r->cell->states > 1 ? state * sizeof(float) : 0);
    l.alternating =
        thaw_recurrent_reserve(&l.scratch_bytes, r->last_only ? 2 * state * thaw_dtype_bytes(r->precision) : 0);
    r->layout = l;
}

void thaw_recurrent_inference_pack(const thaw_layer_run *run)
{
    const thaw_recurrent *r = run->state;
    const thaw_gate_weight hidden = thaw_recurrent_hidden_weight(r), input = thaw_recurrent_input_weight(r);
    const thaw_recurrent_layout *l = &r->layout;
    char *packed = run->packed;
    thaw_gate_panels_pack_forward(run->context, &hidden, run->parameters[THAW_WEIGHT_HIDDEN], packed + l->panels);
    thaw_gate_panels_pack_forward(run->context, &input, run->parameters[THAW_WEIGHT_INPUT], packed + l->input_panels);
    thaw_gate_panels_pack_bias(&hidden, r->bias ? run->parameters[THAW_BIAS_HIDDEN] : NULL,
                               thaw_recurrent_at(packed, l->bias));
    thaw_gate_panels_pack_bias(&input, r->bias ? run->parameters[THAW_BIAS_INPUT] : NULL,
                               thaw_recurrent_at(packed, l->input_bias));
}

/* ---- the states ---- */

/* Rows of the given hidden (0) or cell (1) state before the first step; first NULL: zeros. */
static rows initial_rows(const pass *p, size_t which)
{
    const thaw_recurrent *r = p->r;
    if (r->initial_count <= which)
        return (rows){ NULL, 0 };
    return rows_from(r, p->run->inputs[1 + which], r->place * r->units, r->places * r->units);
}

static rows hidden_after(const pass *p, size_t step)
{
    const thaw_recurrent *r = p->r;
    if (!r->last_only)
        return rows_from(r, p->run->output, thaw_recurrent_time(r, step) * r->units, r->steps * r->units);
    if (step + 1 == r->steps)
        return rows_from(r, p->run->output, 0, r->units);
    return rows_from(r, p->alternating, step % 2 * r->batch * r->units, r->units);
}

static rows hidden_before(const pass *p, size_t step)
{
    return step == 0 ? initial_rows(p, 0) : hidden_after(p, step - 1);
}

static void start_state(const pass *p, size_t which, float *state, size_t row, size_t unit, size_t count)
{
    const rows given = initial_rows(p, which);
    float *into = state + row * p->r->units + unit;
    if (!given.first)
        memset(into, 0, count * sizeof *into);
    else if (p->r->precision == THAW_F32)
        memcpy(into, at(p->r, given, row, unit), count * sizeof *into);
    else
        p->loops->widen(into, at(p->r, given, row, unit), count);
}

static void start_states(const pass *p, size_t row, size_t unit, size_t count)
{
    start_state(p, 0, p->hidden, row, unit, count);
    if (p->r->cell->states > 1)
        start_state(p, 1, p->cell_state, row, unit, count);
}

static void store_hidden(const pass *p, size_t step, size_t row, size_t unit, size_t count)
{
    const rows into = hidden_after(p, step);
    const float *from = p->hidden + row * p->r->units + unit;
    if (p->r->precision == THAW_F32)
        memcpy(at(p->r, into, row, unit), from, count * sizeof *from);
    else
        p->loops->round(at(p->r, into, row, unit), from, count);
}

/* ---- the products ---- */

/* product = rows of numbers * a panel. */
static void multiply(const thaw_recurrent *r, size_t count, size_t depth, const void *left, size_t stride,
                     const void *panel, float *product)
{
    if (r->precision == THAW_F32)
        r->product(count, depth, left, stride, panel, product);
    else
        r->product_bfloat16(count, depth, left, stride, panel, product);
}

static void add_to_rows(float *restrict sums, const float *restrict bias, size_t count)
{
    for (size_t n = 0; n < count; n++)
        for (size_t u = 0; u < THAW_BLOCK; u++)
            sums[n * THAW_BLOCK + u] += bias[u];
}

/* Whether the input's parts of a sample's steps are side by side, instead of those of a step's samples. */
static bool goes_by_sample(const thaw_recurrent *r)
{
    return r->chunk > r->batch;
}

/* A step's rows of one gate of a block. Within a chunk they are in the order of time. */
static thaw_matrix gate_rows(const pass *p, size_t step, size_t block, size_t gate)
{
    const thaw_recurrent *r = p->r;
    const size_t first = step / r->chunk * r->chunk, left = r->steps - first;
    const size_t place = r->reverse ? (left < r->chunk ? left : r->chunk) - 1 - step % r->chunk : step % r->chunk;
    float *all = p->gates + (block * r->cell->gates + gate) * r->batch * r->chunk * THAW_BLOCK;
    return goes_by_sample(r) ? (thaw_matrix){ all + place * THAW_BLOCK, r->chunk * THAW_BLOCK }
                             : (thaw_matrix){ all + place * r->batch * THAW_BLOCK, THAW_BLOCK };
}

/* The input's part of one gate of a block: for some samples in one step, or for one sample in several steps, the
   earliest of which is `step`. */
static void multiply_input(const pass *p, size_t block, size_t q, size_t step, size_t row, size_t samples, size_t steps)
{
    const thaw_recurrent *r = p->r;
    const thaw_gate_weight weight = thaw_recurrent_input_weight(r);
    const size_t gate = block * r->cell->gates + q, sample = r->steps * r->features;
    const rows input = rows_from(r, p->run->inputs[0], thaw_recurrent_time(r, step) * r->features, sample);
    const thaw_matrix gates = gate_rows(p, step, block, q);
    float *sums = gates.first + row * gates.stride;
    multiply(r, samples * steps, r->features, at(r, input, row, 0), steps > 1 ? r->features : sample,
             p->input_panels + gate * thaw_gate_panels_panel_bytes(&weight), sums);
    if (r->bias)
        add_to_rows(sums, p->input_bias + gate * THAW_BLOCK, samples * steps);
}

/* The same for all gates, in the chunk that begins at `step`. */
static void multiply_inputs(const pass *p, size_t step, size_t block, size_t first_row, size_t past_row)
{
    const thaw_recurrent *r = p->r;
    const size_t past = step + r->chunk < r->steps ? step + r->chunk : r->steps;
    for (size_t q = 0; q < r->cell->gates; q++)
        if (goes_by_sample(r))
            for (size_t row = first_row; row < past_row; row++)
                multiply_input(p, block, q, r->reverse ? past - 1 : step, row, 1, past - step);
        else
            for (size_t s = step; s < past; s++)
                multiply_input(p, block, q, s, first_row, past_row - first_row, 1);
}

static void multiply_hidden(const pass *p, size_t step, size_t block, size_t row, size_t count, float *product)
{
    const thaw_recurrent *r = p->r;
    const thaw_gate_weight weight = thaw_recurrent_hidden_weight(r);
    const rows hidden = hidden_before(p, step);
    for (size_t q = 0; q < r->cell->gates; q++) {
        float *sums = product + q * THAW_CELL_ROWS * THAW_BLOCK;
        if (hidden.first)
            multiply(r, count, r->units, at(r, hidden, row, 0), hidden.stride,
                     p->panels + (block * r->cell->gates + q) * thaw_gate_panels_panel_bytes(&weight), sums);
        else
            memset(sums, 0, count * THAW_BLOCK * sizeof *sums);
    }
}

/* ---- the steps ---- */

static void run_rows(const pass *p, size_t step, size_t block, size_t row, size_t count)
{
    const thaw_recurrent *r = p->r;
    const size_t unit = block * THAW_BLOCK, units = thaw_recurrent_count(r, block), state = row * r->units + unit;
    const thaw_matrix gates = gate_rows(p, step, block, 0);
    _Alignas(64) float product[THAW_MOST_GATES * THAW_CELL_ROWS * THAW_BLOCK];
    multiply_hidden(p, step, block, row, count, product);
    for (size_t n = row; step == 0 && n < row + count; n++)
        start_states(p, n, unit, units);
    r->cell->forward(&(thaw_cell_forward){
        .rows = count,
        .count = units,
        .units = r->batch * r->chunk * THAW_BLOCK, /* from gate to gate */
        .product = product,
        .bias = p->bias + block * r->cell->gates * THAW_BLOCK,
        .gates = { gates.first + row * gates.stride, gates.stride },
        .hidden = { p->hidden + state, r->units },
        .next_hidden = { p->hidden + state, r->units },
        .cell_state = { p->cell_state + state, r->units },
        .next_cell_state = { p->cell_state + state, r->units },
    });
    for (size_t n = row; n < row + count; n++)
        store_hidden(p, step, n, unit, units);
}

static void run_piece(const void *argument, size_t step, size_t block, size_t first_row, size_t past_row)
{
    const pass *p = argument;
    if (step % p->r->chunk == 0)
        multiply_inputs(p, step, block, first_row, past_row);
    for (size_t row = first_row; row < past_row; row += THAW_CELL_ROWS)
        run_rows(p, step, block, row, past_row - row < THAW_CELL_ROWS ? past_row - row : THAW_CELL_ROWS);
}

static void run_steps(void *argument, int thread, int threads)
{
    const pass *p = argument;
    for (size_t step = 0; step < p->r->steps; step++) {
        if (step > 0)
            thaw_barrier(threads);
        thaw_recurrent_share(p->r, thread, threads, run_piece, p, step);
    }
}

void thaw_recurrent_inference_forward(const thaw_layer_run *run)
{
    const thaw_recurrent *r = run->state;
    const thaw_recurrent_layout *l = &r->layout;
    char *packed = run->packed, *scratch = run->scratch;
    pass p = {
        .r = r,
        .run = run,
        .loops = THAW_FOR_LEVEL(run->context->level, &thaw_bfloat16_loops),
        .panels = packed + l->panels,
        .input_panels = packed + l->input_panels,
        .bias = thaw_recurrent_at(packed, l->bias),
        .input_bias = thaw_recurrent_at(packed, l->input_bias),
        .gates = thaw_recurrent_at(scratch, l->gates),
        .hidden = thaw_recurrent_at(scratch, l->hidden),
        .cell_state = thaw_recurrent_at(scratch, l->cell_state),
        .alternating = scratch + l->alternating,
    };
    thaw_recurrent_run(r, run->context, run_steps, &p);
}
