/* A recurrent node as an operator of ONNX: LSTM or GRU of one direction. Sequences are [steps, batch, features] there,
   and gates are in another order. */
#include "layers/recurrent.h"

enum { GATES = 4 };

typedef struct operator_kind {
    const char *name;
    size_t gates;
    int64_t order[GATES]; /* of ONNX's gates, which of PyTorch's they are */
} operator_kind;

/* LSTM: i, f, g, o become i, o, f, c. GRU: r, z, n become z, r, h. */
static const operator_kind kinds[] = {
    [THAW_CELL_LSTM] = { "LSTM", 4, { 0, 3, 1, 2 } },
    [THAW_CELL_GRU] = { "GRU", 3, { 1, 0, 2 } },
};

static thaw_onnx_value *reshape(const thaw_layer_export *layer, thaw_onnx_value *x, const int64_t *dims, size_t rank)
{
    return thaw_onnx_apply(layer, "Reshape", x, thaw_onnx_integers(layer, dims, rank), NULL);
}

static thaw_onnx_value *swap_first(const thaw_layer_export *layer, thaw_onnx_value *x)
{
    const thaw_onnx_attribute order = {
        .name = "perm", .kind = THAW_ONNX_INTEGERS, .integers = { 1, 0, 2 }, .count = 3
    };
    return thaw_onnx_apply(layer, "Transpose", x, NULL, &order);
}

static thaw_onnx_value *gather(const thaw_layer_export *layer, thaw_onnx_value *x, int64_t axis, const int64_t *list,
                               size_t count)
{
    const thaw_onnx_attribute along = { .name = "axis", .integer = axis };
    thaw_onnx_value *indices = thaw_onnx_integers(layer, list, count);
    return thaw_onnx_apply(layer, "Gather", x, indices, &along);
}

/* [gates * units, ...] to [gates, ...] with ONNX's order of gates; its rows are whole gates. */
static thaw_onnx_value *reorder(const thaw_layer_export *layer, const operator_kind *kind, size_t parameter)
{
    const int64_t rows[] = { (int64_t)kind->gates, -1 };
    thaw_onnx_value *x = reshape(layer, thaw_onnx_parameter(layer, parameter), rows, THAW_COUNT(rows));
    return gather(layer, x, 0, kind->order, kind->gates);
}

static thaw_onnx_value *weight(const thaw_layer_export *layer, const operator_kind *kind, size_t parameter)
{
    const thaw_shape *own = &layer->parameters[parameter];
    const int64_t dims[] = { 1, own->dims[0], own->dims[1] };
    return reshape(layer, reorder(layer, kind, parameter), dims, THAW_COUNT(dims));
}

/* Both biases, one after the other. */
static thaw_onnx_value *bias(const thaw_layer_export *layer, const operator_kind *kind)
{
    const thaw_onnx_attribute axis = { .name = "axis", .integer = 0 };
    const int64_t dims[] = { 1, -1 };
    thaw_onnx_value *input = reorder(layer, kind, THAW_BIAS_INPUT), *hidden = reorder(layer, kind, THAW_BIAS_HIDDEN);
    input = thaw_onnx_apply(layer, "Concat", input, hidden, &axis);
    return reshape(layer, input, dims, THAW_COUNT(dims));
}

/* [places, units] or [units] to [1, batch, units]. */
static thaw_onnx_value *initial(const thaw_layer_export *layer, size_t index)
{
    const thaw_recurrent_node *o = layer->options;
    const int64_t alone[] = { 0, 1, o->units };
    if (index >= layer->input_count)
        return NULL;
    thaw_onnx_value *x = thaw_onnx_input(layer, index, THAW_CHANNELS_LAST);
    if (layer->inputs[index].rank == 1)
        x = reshape(layer, x, alone, THAW_COUNT(alone));
    else
        x = gather(layer, x, 1, &o->place, 1);
    return swap_first(layer, x);
}

/* From [steps, 1, batch, units], or of the last step [1, batch, units]. */
static thaw_onnx_value *arrange(const thaw_layer_export *layer, thaw_onnx_value *y, bool last_only)
{
    const int64_t direction = last_only ? 0 : 1;
    thaw_onnx_value *axes = thaw_onnx_integers(layer, &direction, 1);
    y = thaw_onnx_apply(layer, "Squeeze", y, axes, NULL);
    return last_only ? y : swap_first(layer, y);
}

thaw_status thaw_recurrent_export(const thaw_layer_export *layer)
{
    const thaw_recurrent_node *o = layer->options;
    const operator_kind *kind = &kinds[o->cell];
    thaw_onnx_operator operation = {
        .kind = kind->name,
        .inputs = { swap_first(layer, thaw_onnx_input(layer, 0, THAW_CHANNELS_LAST)),
                    weight(layer, kind, THAW_WEIGHT_INPUT), weight(layer, kind, THAW_WEIGHT_HIDDEN),
                    o->no_bias ? NULL : bias(layer, kind), NULL, initial(layer, 1), initial(layer, 2) },
        .attributes = { { .name = "hidden_size", .integer = o->units },
                        { .name = "direction", .kind = THAW_ONNX_TEXT, .text = o->reverse ? "reverse" : "forward" } },
        .output = o->last_only ? 1 : 0,
    };
    if (o->cell == THAW_CELL_GRU)
        operation.attributes[2] = (thaw_onnx_attribute){ .name = "linear_before_reset", .integer = 1 };
    thaw_onnx_value *y = thaw_onnx_append(layer, &operation);
    return thaw_onnx_output(layer, arrange(layer, y, o->last_only), THAW_CHANNELS_LAST);
}
