#include "support/attention.h"

#include <math.h>
#include <stdlib.h>

static thaw_node append_constant(thaw_model *model, const thaw_shape *shape)
{
    thaw_node node;
    float *zeros = calloc(thaw_shape_count(shape), sizeof *zeros);
    assert_ok(thaw_model_context(model),
              thaw_constant(model, &(thaw_constant_options){ .shape = *shape, .values = zeros }, &node));
    free(zeros);
    return node;
}

thaw_model *attention_model(thaw_context *context, const attention_case *c)
{
    const int64_t width = c->heads * c->width, keys = c->apart ? c->keys : c->queries;
    const int64_t dims[] = { c->queries, c->apart ? width : 3 * width };
    thaw_model *model = layer_model(context, 2, dims);
    thaw_node nodes[3] = { 0 }, lengths = 0, query_lengths = 0, bias = 0, output;
    if (c->apart) {
        nodes[1] = append_constant(model, &(thaw_shape){ 2, { keys, width } });
        nodes[2] = append_constant(model, &(thaw_shape){ 2, { keys, c->heads * c->value_width } });
    }
    if (c->lengths)
        lengths = append_constant(model, &(thaw_shape){ 1, { 1 } });
    if (c->query_lengths)
        query_lengths = append_constant(model, &(thaw_shape){ 1, { 1 } });
    if (c->bias_heads)
        bias = append_constant(model, &(thaw_shape){ 3, { c->bias_heads, c->queries, keys } });
    const thaw_attention_options options = {
        .heads = c->heads,
        .scale = c->scale,
        .causal = c->causal,
        .lengths = c->lengths ? &lengths : NULL,
        .query_lengths = c->query_lengths ? &query_lengths : NULL,
        .bias = c->bias_heads ? &bias : NULL,
        .dropout = c->dropout,
    };
    assert_ok(context, thaw_attention(model, nodes, c->apart ? 3 : 1, &options, &output));
    return model;
}

/* Which of the node's inputs it is; 0: none. */
typedef struct places {
    size_t lengths, query_lengths, bias;
} places;

static places places_of(const attention_case *c)
{
    size_t next = c->apart ? 3 : 1;
    places p = { 0 };
    if (c->lengths)
        p.lengths = next++;
    p.query_lengths = c->query_lengths ? next++ : c->apart ? 0 : p.lengths;
    if (c->bias_heads)
        p.bias = next;
    return p;
}

static void fill_lengths(float *lengths, int64_t batch, int64_t shortest, int64_t rows, int64_t step)
{
    for (int64_t n = 0; n < batch; n++)
        lengths[n] = (float)(shortest + (n * step) % (rows - shortest + 1));
}

layer attention_open(thaw_model *model, const attention_case *c, const layer_wish *wish, int64_t shortest)
{
    const places p = places_of(c);
    layer_wish asked = *wish;
    asked.batch = c->batch;
    if (p.lengths)
        asked.frozen_inputs |= 1U << p.lengths;
    if (p.query_lengths)
        asked.frozen_inputs |= 1U << p.query_lengths;
    layer l = layer_open(model, &asked);
    if (c->lengths)
        fill_lengths(l.inputs[p.lengths], c->batch, shortest, c->apart ? c->keys : c->queries, 3);
    if (c->query_lengths)
        fill_lengths(l.inputs[p.query_lengths], c->batch, shortest, c->queries, 2);
    return l;
}

float *attention_scales(const layer *l, const attention_case *c, uint64_t origin)
{
    const size_t keys = (size_t)(c->apart ? c->keys : c->queries), padded = (keys + 3) / 4 * 4;
    const size_t rows = (size_t)(c->batch * c->heads * c->queries);
    float *scales = malloc(rows * keys * sizeof *scales);
    uint32_t *numbers = malloc(padded * sizeof *numbers);
    const thaw_stream stream = l->run.random;
    for (size_t r = 0; r < rows; r++) {
        const uint64_t row = origin * (uint64_t)(c->heads * c->queries) + r;
        thaw_random_fill(l->context, &stream, row * padded, padded, numbers);
        for (size_t j = 0; j < keys; j++)
            scales[r * keys + j] =
                (double)(numbers[j] >> 8) < floor(c->dropout * 0x1p24) ? 0 : (float)(1 / (1 - c->dropout));
    }
    free(numbers);
    return scales;
}

/* ---- the definition ---- */

/* One head of one sample. Matrices are [rows][columns]. */
typedef struct head {
    size_t sample, index, queries, keys, width, value_width;
    size_t key_count, query_count;
    double *weights, *scores_gradient; /* [queries][keys] */
} head;

enum { QUERY, KEY, VALUE };

/* Where an element of queries, keys or values, or of their gradients, is. */
static size_t element(const attention_case *c, const head *h, int which, size_t row, size_t column)
{
    const size_t heads = (size_t)c->heads, width = which == VALUE ? h->value_width : h->width;
    const size_t rows = which == QUERY ? h->queries : h->keys, stride = c->apart ? heads * width : 3 * heads * width;
    const size_t before = c->apart ? 0 : (size_t)which * heads * width;
    return (h->sample * rows + row) * stride + before + h->index * width + column;
}

static double input(const layer *l, const attention_case *c, const head *h, int which, size_t row, size_t column)
{
    return (double)l->inputs[c->apart ? which : 0][element(c, h, which, row, column)];
}

static size_t output_at(const attention_case *c, const head *h, size_t row, size_t column)
{
    return ((h->sample * h->queries + row) * (size_t)c->heads + h->index) * h->value_width + column;
}

static size_t bias_at(const attention_case *c, const head *h, size_t i, size_t j)
{
    const size_t plane = h->sample * (size_t)c->bias_heads + (c->bias_heads > 1 ? h->index : 0);
    return (plane * h->queries + i) * h->keys + j;
}

static double scale_of(const attention_case *c)
{
    return c->scale != 0 ? c->scale : 1 / sqrt((double)c->width);
}

static bool counts(const attention_case *c, const head *h, size_t i, size_t j)
{
    return i < h->query_count && j < h->key_count && !(c->causal && j > i);
}

static double score(const layer *l, const attention_case *c, const head *h, size_t i, size_t j)
{
    double sum = 0;
    for (size_t k = 0; k < h->width; k++)
        sum += input(l, c, h, QUERY, i, k) * input(l, c, h, KEY, j, k);
    sum *= scale_of(c);
    if (c->bias_heads)
        sum += (double)l->inputs[places_of(c).bias][bias_at(c, h, i, j)];
    return sum;
}

static void weigh(const layer *l, const attention_case *c, head *h, size_t i)
{
    double *row = h->weights + i * h->keys, largest = -INFINITY, sum = 0;
    for (size_t j = 0; j < h->keys; j++) {
        row[j] = counts(c, h, i, j) ? score(l, c, h, i, j) : -INFINITY;
        largest = fmax(largest, row[j]);
    }
    for (size_t j = 0; j < h->keys; j++) {
        row[j] = isinf(row[j]) && row[j] < 0 ? 0 : exp(row[j] - largest);
        sum += row[j];
    }
    for (size_t j = 0; sum > 0 && j < h->keys; j++)
        row[j] /= sum;
}

static double scale_at(const head *h, const attention_case *c, const float *scales, size_t i, size_t j)
{
    const size_t row = (h->sample * (size_t)c->heads + h->index) * h->queries + i;
    return scales ? (double)scales[row * h->keys + j] : 1;
}

static void check_one(float found, double expected, double tolerance, const char *what)
{
    const float rounded = (float)expected;
    assert_close(&found, &rounded, 1, tolerance, what);
}

static void check_output(const layer *l, const attention_case *c, const head *h, const float *scales, double tolerance)
{
    for (size_t i = 0; i < h->queries; i++)
        for (size_t k = 0; k < h->value_width; k++) {
            double sum = 0;
            for (size_t j = 0; j < h->keys; j++)
                sum += h->weights[i * h->keys + j] * scale_at(h, c, scales, i, j) * input(l, c, h, VALUE, j, k);
            check_one(l->output[output_at(c, h, i, k)], sum, tolerance, "output");
        }
}

/* dS = P * (dP - sum(P dP)). */
static void differentiate_scores(const layer *l, const attention_case *c, head *h, const float *scales)
{
    for (size_t i = 0; i < h->queries; i++) {
        double *row = h->scores_gradient + i * h->keys, sum = 0;
        const double *weights = h->weights + i * h->keys;
        for (size_t j = 0; j < h->keys; j++) {
            row[j] = 0;
            for (size_t k = 0; k < h->value_width; k++)
                row[j] += (double)l->output_gradient[output_at(c, h, i, k)] * input(l, c, h, VALUE, j, k) *
                          scale_at(h, c, scales, i, j);
            sum += row[j] * weights[j];
        }
        for (size_t j = 0; j < h->keys; j++)
            row[j] = weights[j] * (row[j] - sum);
    }
}

/* Of one element of queries, keys or values. */
static double gradient(const layer *l, const attention_case *c, const head *h, const float *scales, int which,
                       size_t row, size_t column)
{
    double sum = 0;
    for (size_t j = 0; which == QUERY && j < h->keys; j++)
        sum += h->scores_gradient[row * h->keys + j] * scale_of(c) * input(l, c, h, KEY, j, column);
    for (size_t i = 0; which == KEY && i < h->queries; i++)
        sum += h->scores_gradient[i * h->keys + row] * scale_of(c) * input(l, c, h, QUERY, i, column);
    for (size_t i = 0; which == VALUE && i < h->queries; i++)
        sum += h->weights[i * h->keys + row] * scale_at(h, c, scales, i, row) *
               (double)l->output_gradient[output_at(c, h, i, column)];
    return sum;
}

static void check_gradient(const layer *l, const attention_case *c, const head *h, const float *scales, int which,
                           double tolerance)
{
    static const char *const names[] = { "queries' gradient", "keys' gradient", "values' gradient" };
    const float *found = l->input_gradients[c->apart ? which : 0];
    const size_t rows = which == QUERY ? h->queries : h->keys, columns = which == VALUE ? h->value_width : h->width;
    for (size_t row = 0; found && row < rows; row++)
        for (size_t k = 0; k < columns; k++)
            check_one(found[element(c, h, which, row, k)], gradient(l, c, h, scales, which, row, k), tolerance,
                      names[which]);
}

static head open_head(const layer *l, const attention_case *c, size_t sample, size_t index)
{
    const places p = places_of(c);
    head h = {
        .sample = sample,
        .index = index,
        .queries = (size_t)c->queries,
        .keys = (size_t)(c->apart ? c->keys : c->queries),
        .width = (size_t)c->width,
        .value_width = (size_t)(c->apart ? c->value_width : c->width),
    };
    h.key_count = p.lengths ? (size_t)l->inputs[p.lengths][sample] : h.keys;
    h.query_count = p.query_lengths ? (size_t)l->inputs[p.query_lengths][sample] : h.queries;
    h.weights = calloc(2 * h.queries * h.keys, sizeof *h.weights);
    h.scores_gradient = h.weights + h.queries * h.keys;
    return h;
}

/* Adds to what is expected of the bias's gradient, and checks it after the last head that shares it. */
static void check_bias(const layer *l, const attention_case *c, const head *h, double *sums, double tolerance)
{
    const float *found = l->input_gradients[places_of(c).bias];
    const bool shared = c->bias_heads == 1;
    for (size_t i = 0; i < h->queries; i++)
        for (size_t j = 0; j < h->keys; j++) {
            double *sum = &sums[i * h->keys + j];
            *sum = (shared && h->index > 0 ? *sum : 0) + h->scores_gradient[i * h->keys + j];
            if (!shared || h->index + 1 == (size_t)c->heads)
                check_one(found[bias_at(c, h, i, j)], *sum, tolerance, "bias's gradient");
        }
}

void attention_check(const layer *l, const attention_case *c, const float *scales, double tolerance)
{
    double *sums = calloc((size_t)(c->queries * (c->apart ? c->keys : c->queries)), sizeof *sums);
    for (size_t n = 0; n < (size_t)c->batch; n++)
        for (size_t index = 0; index < (size_t)c->heads; index++) {
            head h = open_head(l, c, n, index);
            for (size_t i = 0; i < h.queries; i++)
                weigh(l, c, &h, i);
            check_output(l, c, &h, scales, tolerance);
            if (l->output_gradient)
                differentiate_scores(l, c, &h, scales);
            for (int which = QUERY; l->output_gradient && which <= VALUE; which++)
                check_gradient(l, c, &h, scales, which, tolerance);
            if (c->bias_heads && l->input_gradients[places_of(c).bias])
                check_bias(l, c, &h, sums, tolerance);
            free(h.weights);
        }
    free(sums);
}
