/* The calls of layers: see thaw/layer_export.h. */
#include <string.h>

#include "export/onnx_graph.h"
#include "params/expression.h"
#include "params/keeping.h"

static const thaw_graph_node *node_at(const thaw_layer_export *layer)
{
    return &layer->graph->model->nodes[layer->graph->at];
}

thaw_axis_order thaw_onnx_input_order(const thaw_layer_export *layer, size_t index)
{
    return layer->graph->held[node_at(layer)->inputs[index]].order;
}

thaw_onnx_value *thaw_onnx_input(const thaw_layer_export *layer, size_t index, thaw_axis_order order)
{
    return thaw_onnx_graph_hold(layer->graph, node_at(layer)->inputs[index], order);
}

/* ---------------------------------------------------------------- values in the file */

/* The parameter's own memory, or a copy where that does not have the values. */
static const float *values_of(thaw_onnx_graph *graph, const thaw_parameter *parameter)
{
    if (!parameter->bound && !parameter->absent)
        return parameter->data;
    float *values = thaw_onnx_graph_allocate(graph, parameter->count * sizeof *values);
    if (!values)
        return NULL;
    const thaw_tensor whole = { .dtype = THAW_F32, .shape = parameter->shape, .data = values };
    if (parameter->bound)
        graph->status = thaw_expression_evaluate(parameter->bound, &whole);
    else
        thaw_parameter_read(parameter, 0, parameter->count, values);
    return values;
}

static thaw_onnx_value *find_parameter(thaw_onnx_graph *graph, const thaw_parameter *parameter)
{
    for (thaw_onnx_tensor *tensor = graph->tensors; tensor; tensor = tensor->next)
        if (tensor->parameter == parameter)
            return &tensor->value;
    return NULL;
}

thaw_onnx_value *thaw_onnx_parameter(const thaw_layer_export *layer, size_t index)
{
    if (index >= layer->parameter_count || layer->graph->status != THAW_OK)
        return NULL;
    const thaw_parameter *parameter = node_at(layer)->group->parameters[index];
    thaw_onnx_value *found = find_parameter(layer->graph, parameter);
    if (found)
        return found;
    thaw_onnx_tensor *tensor = thaw_onnx_graph_tensor(layer->graph, THAW_ONNX_FLOATS, &parameter->shape);
    if (!tensor)
        return NULL;
    tensor->value = (thaw_onnx_value){ parameter->name, true };
    tensor->parameter = parameter;
    tensor->data = values_of(layer->graph, parameter);
    return layer->graph->status == THAW_OK ? &tensor->value : NULL;
}

void *thaw_onnx_allocate(const thaw_layer_export *layer, size_t bytes)
{
    return thaw_onnx_graph_allocate(layer->graph, bytes);
}

/* A tensor with memory of its own for its values, which go to *data. */
static thaw_onnx_value *add_constant(thaw_onnx_graph *graph, thaw_onnx_type type, const thaw_shape *shape, void **data)
{
    thaw_onnx_tensor *tensor = thaw_onnx_graph_tensor(graph, type, shape);
    *data = tensor ? thaw_onnx_graph_allocate(graph, tensor->bytes) : NULL;
    if (!*data)
        return NULL;
    tensor->data = *data;
    return &tensor->value;
}

thaw_onnx_value *thaw_onnx_fill(const thaw_layer_export *layer, const thaw_shape *shape, double value)
{
    void *data;
    thaw_onnx_value *made = add_constant(layer->graph, THAW_ONNX_FLOATS, shape, &data);
    for (size_t i = 0; made && i < thaw_shape_count(shape); i++)
        ((float *)data)[i] = (float)value;
    return made;
}

thaw_onnx_value *thaw_onnx_floats(const thaw_layer_export *layer, const thaw_shape *shape, const float *values)
{
    void *data;
    thaw_onnx_value *made = add_constant(layer->graph, THAW_ONNX_FLOATS, shape, &data);
    if (made)
        memcpy(data, values, thaw_shape_count(shape) * sizeof *values);
    return made;
}

thaw_onnx_value *thaw_onnx_integers(const thaw_layer_export *layer, const int64_t *values, size_t count)
{
    void *data;
    const thaw_shape shape = { 1, { (int64_t)count } };
    thaw_onnx_value *made = add_constant(layer->graph, THAW_ONNX_WHOLE_NUMBERS, &shape, &data);
    if (made && count)
        memcpy(data, values, count * sizeof *values);
    return made;
}

/* ---------------------------------------------------------------- operators */

thaw_onnx_value *thaw_onnx_append(const thaw_layer_export *layer, const thaw_onnx_operator *added)
{
    return thaw_onnx_graph_append(layer->graph, added);
}

thaw_onnx_value *thaw_onnx_apply(const thaw_layer_export *layer, const char *kind, thaw_onnx_value *first,
                                 thaw_onnx_value *second, const thaw_onnx_attribute *attribute)
{
    thaw_onnx_operator added = { .kind = kind, .inputs = { first, second } };
    if (attribute)
        added.attributes[0] = *attribute;
    return thaw_onnx_append(layer, &added);
}

thaw_onnx_value *thaw_onnx_batch(const thaw_layer_export *layer)
{
    thaw_onnx_graph *graph = layer->graph;
    const thaw_onnx_attribute first = { .name = "start", .integer = 0 }, past = { .name = "end", .integer = 1 };
    if (!graph->batch)
        graph->batch = thaw_onnx_append(layer, &(thaw_onnx_operator){ .kind = "Shape",
                                                                      .inputs = { &graph->inputs[0].value },
                                                                      .attributes = { first, past } });
    return graph->batch;
}

/* A value that the layer has made gets the layer's name, unless a parameter is called so. */
thaw_status thaw_onnx_output(const thaw_layer_export *layer, thaw_onnx_value *value, thaw_axis_order order)
{
    thaw_onnx_graph *graph = layer->graph;
    if (graph->status != THAW_OK)
        return graph->status;
    if (!value)
        return graph->status =
                   thaw_fail(graph->context, THAW_INVALID_ARGUMENT, "%s: its export has no output", layer->name);
    if (!value->named && !thaw_model_find_parameter(graph->model, layer->name))
        value->name = layer->name;
    value->named = true;
    graph->held[graph->at].values[order] = value;
    graph->held[graph->at].order = order;
    return THAW_OK;
}
