/* Attention as operators of ONNX. Heads become a dimension in front of the rows: [batch, heads, rows, width]. */
#include "layers/attention.h"

#include <math.h>

double thaw_attention_scale(const thaw_attention_node *node, int64_t width)
{
    return node->scale != 0 ? node->scale : 1 / sqrt((double)(width / node->heads));
}

static thaw_onnx_value *reshape(const thaw_layer_export *layer, thaw_onnx_value *x, const int64_t *dims, size_t rank)
{
    return thaw_onnx_apply(layer, "Reshape", x, thaw_onnx_integers(layer, dims, rank), NULL);
}

static thaw_onnx_value *transpose(const thaw_layer_export *layer, thaw_onnx_value *x, const int64_t order[4])
{
    const thaw_onnx_attribute attribute = {
        .name = "perm", .kind = THAW_ONNX_INTEGERS, .integers = { order[0], order[1], order[2], order[3] }, .count = 4
    };
    return thaw_onnx_apply(layer, "Transpose", x, NULL, &attribute);
}

/* Columns of the one input. */
static thaw_onnx_value *slice(const thaw_layer_export *layer, thaw_onnx_value *x, int64_t first, int64_t past)
{
    const int64_t axis = 2;
    const thaw_onnx_operator operation = {
        .kind = "Slice",
        .inputs = { x, thaw_onnx_integers(layer, &first, 1), thaw_onnx_integers(layer, &past, 1),
                    thaw_onnx_integers(layer, &axis, 1) },
    };
    return thaw_onnx_append(layer, &operation);
}

enum { QUERY, KEY, VALUE };

/* Queries, keys or values, with heads in front; keys with their rows last. */
static thaw_onnx_value *heads(const thaw_layer_export *layer, const thaw_attention_inputs *in, size_t which)
{
    const thaw_attention_node *o = layer->options;
    const int64_t rows = which == QUERY ? in->queries : in->keys, width = which == VALUE ? in->value_width : in->width;
    const int64_t dims[] = { 0, rows, o->heads, width / o->heads };
    const int64_t orders[][4] = { { 0, 2, 1, 3 }, { 0, 2, 3, 1 }, { 0, 2, 1, 3 } };
    thaw_onnx_value *x = thaw_onnx_input(layer, o->rows == 1 ? 0 : which, THAW_CHANNELS_LAST);
    if (o->rows == 1)
        x = slice(layer, x, (int64_t)which * width, (int64_t)(which + 1) * width);
    return transpose(layer, reshape(layer, x, dims, THAW_COUNT(dims)), orders[which]);
}

static thaw_onnx_value *number(const thaw_layer_export *layer, double value)
{
    return thaw_onnx_fill(layer, &(thaw_shape){ 0 }, value);
}

/* 0, 1, 2, ... of keys, [count], or of queries, [count, 1]. */
static thaw_onnx_value *places(const thaw_layer_export *layer, int64_t count, bool of_queries)
{
    const thaw_shape shape = of_queries ? (thaw_shape){ 2, { count, 1 } } : (thaw_shape){ 1, { count } };
    float *values = thaw_onnx_allocate(layer, (size_t)count * sizeof *values);
    for (int64_t i = 0; values && i < count; i++)
        values[i] = (float)i;
    return values ? thaw_onnx_floats(layer, &shape, values) : NULL;
}

/* Which rows are before the length: [batch, 1, 1, keys], or [batch, 1, queries, 1]. */
static thaw_onnx_value *counted(const thaw_layer_export *layer, size_t lengths, int64_t count, bool of_queries)
{
    const int64_t dims[] = { 0, 1, 1, 1 };
    thaw_onnx_value *length =
        reshape(layer, thaw_onnx_input(layer, lengths, THAW_CHANNELS_LAST), dims, THAW_COUNT(dims));
    return thaw_onnx_apply(layer, "Less", places(layer, count, of_queries), length, NULL);
}

static thaw_onnx_value *choose(const thaw_layer_export *layer, thaw_onnx_value *condition, thaw_onnx_value *x,
                               thaw_onnx_value *y)
{
    const thaw_onnx_operator operation = { .kind = "Where", .inputs = { condition, x, y } };
    return thaw_onnx_append(layer, &operation);
}

/* Later keys get -infinity. */
static thaw_onnx_value *mask_later(const thaw_layer_export *layer, const thaw_attention_inputs *in, thaw_onnx_value *x)
{
    thaw_onnx_value *query = places(layer, in->queries, true), *key = places(layer, in->keys, false);
    return choose(layer, thaw_onnx_apply(layer, "Less", query, key, NULL), number(layer, -INFINITY), x);
}

static thaw_onnx_value *scores(const thaw_layer_export *layer, const thaw_attention_inputs *in)
{
    const thaw_attention_node *o = layer->options;
    thaw_onnx_value *x = thaw_onnx_apply(layer, "MatMul", heads(layer, in, QUERY), heads(layer, in, KEY), NULL);
    x = thaw_onnx_apply(layer, "Mul", x, number(layer, thaw_attention_scale(o, in->width)), NULL);
    if (in->bias)
        x = thaw_onnx_apply(layer, "Add", x, thaw_onnx_input(layer, in->bias, THAW_CHANNELS_LAST), NULL);
    if (o->causal)
        x = mask_later(layer, in, x);
    if (in->lengths)
        x = choose(layer, counted(layer, in->lengths, in->keys, false), x, number(layer, -INFINITY));
    return x;
}

thaw_status thaw_attention_export(const thaw_layer_export *layer)
{
    const thaw_attention_node *o = layer->options;
    const thaw_attention_inputs in = thaw_attention_read(o, layer->inputs);
    const thaw_onnx_attribute axis = { .name = "axis", .integer = -1 };
    const int64_t order[] = { 0, 2, 1, 3 }, dims[] = { 0, in.queries, in.value_width };
    thaw_onnx_value *x = thaw_onnx_apply(layer, "Softmax", scores(layer, &in), NULL, &axis);
    x = thaw_onnx_apply(layer, "MatMul", x, heads(layer, &in, VALUE), NULL);
    if (in.query_lengths)
        x = choose(layer, counted(layer, in.query_lengths, in.queries, true), x, number(layer, 0));
    if (in.lengths) /* without keys the softmax is not a number */
        x = choose(layer, counted(layer, in.lengths, 1, true), x, number(layer, 0));
    x = reshape(layer, transpose(layer, x, order), dims, THAW_COUNT(dims));
    return thaw_onnx_output(layer, x, THAW_CHANNELS_LAST);
}
