#include "support/recurrent.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "graph/model.h"
#include "kernels/bfloat16.h"

enum { WEIGHT_INPUT, WEIGHT_HIDDEN, BIAS_INPUT, BIAS_HIDDEN, PARAMETERS, INPUTS = 3 };

/* Everything of one case. Steps are those of the direction; states have one more, the initial one. */
typedef struct reference {
    const recurrent_case *c;
    const layer *l;
    size_t gates;
    double *gate, *sum;    /* [batch][steps][gates * units]: values; a GRU's hidden part of n */
    double *hidden, *cell; /* [batch][steps + 1][units] */
    double *parameter_gradient[PARAMETERS], *input_gradient[INPUTS];
    double *output;
} reference;

thaw_model *recurrent_model(thaw_context *context, const recurrent_case *c)
{
    const int64_t dims[] = { (int64_t)c->steps, (int64_t)c->features };
    thaw_model *model = layer_model(context, 2, dims);
    float *zeros = calloc(2 * c->units, sizeof *zeros);
    thaw_node states[2], node;
    for (size_t i = 0; c->initial && i < 2; i++)
        assert_ok(context, thaw_constant(model,
                                         &(thaw_constant_options){
                                             .shape = { 2, { 1 + c->reverse, (int64_t)c->units } }, .values = zeros },
                                         &states[i]));
    free(zeros);
    const thaw_recurrent_options options = {
        .name = "r",
        .units = (int64_t)c->units,
        .bidirectional = c->reverse,
        .last_only = c->last_only,
        .no_bias = c->no_bias,
        .initial = c->initial ? states : NULL,
        .initial_count = !c->initial ? 0
                         : c->gru    ? 1
                                     : 2,
    };
    assert_ok(context, (c->gru ? thaw_gru : thaw_lstm)(model, 0, &options, &node));
    if (c->reverse)
        thaw_model_truncate(model, model->node_count - 1);
    return model;
}

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

static size_t time_of(const recurrent_case *c, size_t step)
{
    return c->reverse ? c->steps - 1 - step : step;
}

static size_t state_index(const recurrent_case *c, size_t n, size_t step)
{
    return (n * (c->steps + 1) + step) * c->units;
}

/* Where sample n's initial state is in its input: the second of two places for the reverse direction. */
static size_t initial_index(const recurrent_case *c, size_t n)
{
    return c->reverse ? (2 * n + 1) * c->units : n * c->units;
}

static double bias(const reference *r, size_t which, size_t row)
{
    return r->c->no_bias ? 0 : (double)r->l->parameters[which][row];
}

static const float *input_row(const reference *r, size_t n, size_t step)
{
    return r->l->inputs[0] + (n * r->c->steps + time_of(r->c, step)) * r->c->features;
}

/* The hidden state as it is multiplied. */
static double multiplied(const reference *r, double hidden)
{
    return r->l->bfloat16 ? (double)thaw_bfloat16_widen(thaw_bfloat16_round((float)hidden)) : hidden;
}

/* What the input adds to a gate, and what the hidden state does. */
static void gate_sums(const reference *r, size_t n, size_t step, size_t row, double *input, double *hidden)
{
    const recurrent_case *c = r->c;
    const float *x = input_row(r, n, step);
    const double *h = r->hidden + state_index(c, n, step);
    *input = bias(r, BIAS_INPUT, row);
    *hidden = bias(r, BIAS_HIDDEN, row);
    for (size_t k = 0; k < c->features; k++)
        *input += (double)r->l->parameters[WEIGHT_INPUT][row * c->features + k] * (double)x[k];
    for (size_t k = 0; k < c->units; k++)
        *hidden += (double)r->l->parameters[WEIGHT_HIDDEN][row * c->units + k] * multiplied(r, h[k]);
}

static void step_forward(reference *r, size_t n, size_t step)
{
    const recurrent_case *c = r->c;
    const size_t units = c->units, at = (n * c->steps + step) * r->gates * units;
    const size_t before = state_index(c, n, step), after = before + units;
    for (size_t u = 0; u < units; u++) {
        double input[4], hidden[4], *gate = r->gate + at + u;
        for (size_t q = 0; q < r->gates; q++)
            gate_sums(r, n, step, q * units + u, &input[q], &hidden[q]);
        for (size_t q = 0; q < r->gates; q++)
            gate[q * units] = q == 2 ? tanh(input[q] + hidden[q]) : sigmoid(input[q] + hidden[q]);
        if (c->gru) {
            const double h = r->hidden[before + u];
            r->sum[at + u] = hidden[2];
            gate[2 * units] = tanh(input[2] + gate[0] * hidden[2]);
            r->hidden[after + u] = (1 - gate[units]) * gate[2 * units] + gate[units] * h;
        } else {
            r->cell[after + u] = gate[units] * r->cell[before + u] + gate[0] * gate[2 * units];
            r->hidden[after + u] = gate[3 * units] * tanh(r->cell[after + u]);
        }
    }
}

static void run_forward(reference *r)
{
    const recurrent_case *c = r->c;
    for (size_t n = 0; n < c->batch; n++) {
        for (size_t u = 0; u < c->units; u++) {
            const size_t at = initial_index(c, n) + u;
            r->hidden[state_index(c, n, 0) + u] = c->initial ? (double)r->l->inputs[1][at] : 0;
            r->cell[state_index(c, n, 0) + u] = c->initial && !c->gru ? (double)r->l->inputs[2][at] : 0;
        }
        for (size_t step = 0; step < c->steps; step++) {
            step_forward(r, n, step);
            const size_t place = c->last_only ? n : n * c->steps + time_of(c, step);
            memcpy(r->output + place * c->units, r->hidden + state_index(c, n, step + 1), c->units * sizeof(double));
        }
    }
}

/* Spreads the gradient of a gate's input part, or of its hidden part, to what they were computed from. */
static void spread(reference *r, size_t n, size_t step, size_t row, double input, double hidden, double *dh)
{
    const recurrent_case *c = r->c;
    const float *x = input_row(r, n, step);
    const double *h = r->hidden + state_index(c, n, step);
    double *dx = r->input_gradient[0] + (n * c->steps + time_of(c, step)) * c->features;
    for (size_t k = 0; k < c->features; k++) {
        r->parameter_gradient[WEIGHT_INPUT][row * c->features + k] += input * (double)x[k];
        dx[k] += input * (double)r->l->parameters[WEIGHT_INPUT][row * c->features + k];
    }
    for (size_t k = 0; k < c->units; k++) {
        r->parameter_gradient[WEIGHT_HIDDEN][row * c->units + k] += hidden * h[k];
        dh[k] += hidden * (double)r->l->parameters[WEIGHT_HIDDEN][row * c->units + k];
    }
    r->parameter_gradient[BIAS_INPUT][row] += input;
    r->parameter_gradient[BIAS_HIDDEN][row] += hidden;
}

/* dh and dc: of the states after the step; afterwards of those before. */
static void step_backward(reference *r, size_t n, size_t step, double *dh, double *dc, double *before)
{
    const recurrent_case *c = r->c;
    const size_t units = c->units;
    const double *gate = r->gate + (n * c->steps + step) * r->gates * units;
    const double *sum = r->sum + (n * c->steps + step) * r->gates * units;
    memset(before, 0, units * sizeof *before);
    for (size_t u = 0; u < units; u++) {
        const double a = gate[u], b = gate[units + u], g = gate[2 * units + u];
        if (c->gru) {
            const double h = r->hidden[state_index(c, n, step) + u];
            const double dn = dh[u] * (1 - b) * (1 - g * g), dr = dn * sum[u] * a * (1 - a);
            before[u] += dh[u] * b;
            spread(r, n, step, u, dr, dr, before);
            spread(r, n, step, units + u, dh[u] * (h - g) * b * (1 - b), dh[u] * (h - g) * b * (1 - b), before);
            spread(r, n, step, 2 * units + u, dn, dn * a, before);
        } else {
            const double o = gate[3 * units + u], t = tanh(r->cell[state_index(c, n, step + 1) + u]);
            const double d = dc[u] + dh[u] * o * (1 - t * t), old = r->cell[state_index(c, n, step) + u];
            const double slopes[] = { d * g * a * (1 - a), d * old * b * (1 - b), d * a * (1 - g * g),
                                      dh[u] * t * o * (1 - o) };
            for (size_t q = 0; q < 4; q++)
                spread(r, n, step, q * units + u, slopes[q], slopes[q], before);
            dc[u] = d * b;
        }
    }
    memcpy(dh, before, units * sizeof *dh);
}

static void run_backward(reference *r)
{
    const recurrent_case *c = r->c;
    double *dh = calloc(3 * c->units, sizeof *dh), *dc = dh + c->units;
    for (size_t n = 0; n < c->batch; n++) {
        memset(dh, 0, 2 * c->units * sizeof *dh);
        for (size_t step = c->steps; step-- > 0;) {
            const size_t place = c->last_only ? n : n * c->steps + time_of(c, step);
            for (size_t u = 0; u < c->units && (!c->last_only || step + 1 == c->steps); u++)
                dh[u] += (double)r->l->output_gradient[place * c->units + u];
            step_backward(r, n, step, dh, dc, dc + c->units);
        }
        for (size_t u = 0; u < c->units; u++) {
            r->input_gradient[1][initial_index(c, n) + u] = dh[u];
            r->input_gradient[2][initial_index(c, n) + u] = dc[u];
        }
    }
    free(dh);
}

static void compare(const float *found, const double *wanted, size_t count, double tolerance, const char *what)
{
    float *expected = malloc(count * sizeof *expected);
    for (size_t i = 0; i < count; i++)
        expected[i] = (float)wanted[i];
    if (found)
        assert_close(found, expected, count, tolerance, what);
    free(expected);
}

static void compare_all(const reference *r, double tolerance)
{
    static const char *const parameters[] = { "weight_ih", "weight_hh", "bias_ih", "bias_hh" };
    static const char *const inputs[] = { "the input", "the hidden state", "the cell" };
    const layer *l = r->l;
    compare(l->output, r->output, l->output_size, tolerance, "output");
    for (size_t k = 0; k < l->parameter_count; k++)
        compare(l->parameter_gradients[k], r->parameter_gradient[k], l->parameter_size[k], tolerance, parameters[k]);
    for (size_t k = 0; k < l->input_count; k++)
        compare(l->input_gradients[k], r->input_gradient[k], l->input_size[k], tolerance, inputs[k]);
}

void recurrent_check(const layer *l, const recurrent_case *c, double tolerance)
{
    reference r = { .c = c, .l = l, .gates = c->gru ? 3 : 4 };
    const size_t rows = c->batch * c->steps, states = (rows + c->batch) * c->units, row = r.gates * c->units;
    const size_t parameter_sizes[] = { row * c->features, row * c->units, row, row };
    const size_t input_sizes[] = { rows * c->features, 2 * c->batch * c->units, 2 * c->batch * c->units };
    r.gate = calloc(rows * row, sizeof(double));
    r.sum = calloc(rows * row, sizeof(double));
    r.hidden = calloc(states, sizeof(double));
    r.cell = calloc(states, sizeof(double));
    r.output = calloc(rows * c->units, sizeof(double));
    for (size_t k = 0; k < PARAMETERS; k++)
        r.parameter_gradient[k] = calloc(parameter_sizes[k], sizeof(double));
    for (size_t k = 0; k < INPUTS; k++)
        r.input_gradient[k] = calloc(input_sizes[k], sizeof(double));
    run_forward(&r);
    if (l->output_gradient)
        run_backward(&r);
    compare_all(&r, tolerance);
    for (size_t k = 0; k < INPUTS; k++)
        free(r.input_gradient[k]);
    for (size_t k = 0; k < PARAMETERS; k++)
        free(r.parameter_gradient[k]);
    free(r.output);
    free(r.cell);
    free(r.hidden);
    free(r.sum);
    free(r.gate);
}
