/* Walks over the network, and lets each layer write itself. */
#include <string.h>
#include <thaw/export.h>

#include "core/threads.h"
#include "export/onnx_graph.h"
#include "params/finite.h"

/* Marks what the output depends on. Nodes are in topological order. */
static void mark_needed(thaw_onnx_graph *graph)
{
    const thaw_model *model = graph->model;
    const thaw_node output = thaw_model_output(model);
    graph->held[output].needed = true;
    for (thaw_node i = output; i >= 0; i--)
        for (size_t k = 0; graph->held[i].needed && k < model->nodes[i].input_count; k++)
            graph->held[model->nodes[i].inputs[k]].needed = true;
}

/* The dimensions of a sample in the file: channels first in images, as in Thaw elsewhere. */
static thaw_axis_order order_of(const thaw_shape *sample)
{
    return sample->rank == 3 ? THAW_CHANNELS_FIRST : THAW_CHANNELS_LAST;
}

static thaw_shape in_order(const thaw_shape *sample)
{
    thaw_shape shape = *sample;
    if (order_of(sample) == THAW_CHANNELS_FIRST)
        shape = (thaw_shape){ 3, { sample->dims[2], sample->dims[0], sample->dims[1] } };
    return shape;
}

/* Layers read whole numbers as floats. */
static thaw_onnx_value *add_floats(thaw_onnx_graph *graph, thaw_onnx_value *numbers)
{
    const thaw_onnx_attribute type = { .name = "to", .integer = 1 }; /* FLOAT */
    return thaw_onnx_graph_append(graph, &(thaw_onnx_operator){
                                             .kind = "Cast", .inputs = { numbers }, .attributes = { type } });
}

static void add_input(thaw_onnx_graph *graph, size_t index)
{
    const thaw_graph_input *from = &graph->model->inputs[index];
    const thaw_graph_node *node = &graph->model->nodes[from->node];
    const thaw_axis_order order = order_of(&node->output);
    thaw_onnx_end *made = &graph->inputs[index];
    *made = (thaw_onnx_end){
        .value = { node->name, true },
        .type = from->dtype == THAW_I32 ? THAW_ONNX_WHOLE_NUMBERS : THAW_ONNX_FLOATS,
        .shape = in_order(&node->output),
    };
    thaw_onnx_held *held = &graph->held[from->node];
    graph->at = from->node;
    graph->made = 0;
    held->order = order;
    if (made->type == THAW_ONNX_FLOATS)
        held->values[order] = &made->value;
    else if (held->needed)
        held->values[order] = add_floats(graph, &made->value);
}

static thaw_status add_layer(thaw_onnx_graph *graph, thaw_node index)
{
    const thaw_graph_node *node = &graph->model->nodes[index];
    thaw_shape inputs[THAW_MAX_INPUTS], parameters[THAW_MAX_PARAMETERS];
    if (!node->module->export_onnx)
        return thaw_fail(graph->context, THAW_UNSUPPORTED,
                         "%s: a layer of kind %s cannot be exported: its module has no export_onnx", node->name,
                         node->module->name);
    for (size_t i = 0; i < node->input_count; i++)
        inputs[i] = graph->model->nodes[node->inputs[i]].output;
    for (size_t i = 0; node->group && i < node->group->parameter_count; i++)
        parameters[i] = node->group->parameters[i]->shape;
    const thaw_layer_export layer = {
        .graph = graph,
        .context = graph->context,
        .name = node->name,
        .options = node->options,
        .input_count = node->input_count,
        .inputs = inputs,
        .output = node->output,
        .parameter_count = node->group ? node->group->parameter_count : 0,
        .parameters = parameters,
    };
    graph->at = index;
    graph->made = 0;
    const thaw_status status = node->module->export_onnx(&layer);
    if (status == THAW_OK && graph->status == THAW_OK && !graph->held[index].values[graph->held[index].order])
        return thaw_fail(graph->context, THAW_INVALID_ARGUMENT, "%s: its export has no output", node->name);
    return status == THAW_OK ? graph->status : status;
}

/* A value that another layer named, or the input, gets a copy, so that the output can have a name of its own. */
static thaw_onnx_value *add_copy(thaw_onnx_graph *graph, thaw_onnx_value *value)
{
    return thaw_onnx_graph_append(graph, &(thaw_onnx_operator){ .kind = "Identity", .inputs = { value } });
}

/* Gives the output the layer's name, which the layer's own value may have in the other order of dimensions. */
static void name_output(thaw_onnx_graph *graph, const char *name, thaw_onnx_value *value)
{
    const thaw_onnx_held *held = &graph->held[graph->at];
    thaw_onnx_value *own = held->values[held->order];
    if (value != own && own->name == name)
        own->name = thaw_onnx_graph_name(graph);
    if (!thaw_model_find_parameter(graph->model, name))
        value->name = name;
}

static thaw_status add_logits(thaw_onnx_graph *graph)
{
    const thaw_graph_node *node = &graph->model->nodes[graph->at];
    thaw_onnx_value *value = thaw_onnx_graph_hold(graph, graph->at, order_of(&node->output));
    if (value && value->named && value->name != node->name)
        value = add_copy(graph, value);
    if (value)
        name_output(graph, node->name, value);
    graph->output = value;
    return graph->status;
}

static thaw_status add_probabilities(thaw_onnx_graph *graph)
{
    static const char name[] = "probabilities";
    const thaw_graph_node *node = &graph->model->nodes[graph->at];
    const thaw_axis_order order = order_of(&node->output);
    const thaw_onnx_attribute channels = { .name = "axis", .integer = order == THAW_CHANNELS_FIRST ? 1 : -1 };
    if (node->output.rank < 1)
        return thaw_fail(graph->context, THAW_INVALID_ARGUMENT,
                         "%s: the output is a number, which has no probabilities", node->name);
    for (size_t i = 0; i < graph->model->node_count; i++)
        if (strcmp(graph->model->nodes[i].name, name) == 0)
            return thaw_fail(graph->context, THAW_DUPLICATE, "%s: a layer has this name, which the output needs", name);
    thaw_onnx_value *value = thaw_onnx_graph_hold(graph, graph->at, order);
    value = thaw_onnx_graph_append(graph, &(thaw_onnx_operator){
                                              .kind = "Softmax", .inputs = { value }, .attributes = { channels } });
    if (value)
        value->name = name;
    graph->output = value;
    return graph->status;
}

static thaw_status add_output(thaw_onnx_graph *graph, const thaw_onnx_options *options)
{
    graph->at = thaw_model_output(graph->model);
    graph->output_shape = in_order(&graph->model->nodes[graph->at].output);
    return options && options->probabilities ? add_probabilities(graph) : add_logits(graph);
}

/* The notes, and the version. */
static thaw_status add_metadata(thaw_onnx_graph *graph)
{
    const thaw_notes *notes = &graph->model->notes;
    thaw_named_text *all = thaw_onnx_graph_allocate(graph, (notes->count + 1) * sizeof *all);
    if (!all)
        return graph->status;
    all[0] = (thaw_named_text){ "thaw.version", thaw_version() };
    for (size_t i = 0; i < notes->count; i++)
        all[i + 1] = notes->items[i];
    graph->metadata = all;
    graph->metadata_count = notes->count + 1;
    return THAW_OK;
}

static thaw_status fill(thaw_onnx_graph *graph, const thaw_onnx_options *options)
{
    thaw_status status = THAW_OK;
    mark_needed(graph);
    for (size_t i = 0; i < graph->model->input_count; i++)
        add_input(graph, i);
    for (size_t i = graph->model->first_layer; i < graph->model->node_count && status == THAW_OK; i++)
        if (graph->held[i].needed)
            status = add_layer(graph, (thaw_node)i);
    if (status == THAW_OK)
        status = add_output(graph, options);
    return status == THAW_OK ? add_metadata(graph) : status;
}

static thaw_status check(thaw_model *model, const char *path)
{
    if (!path)
        return thaw_fail(model->context, THAW_INVALID_ARGUMENT, "the path to export to is missing");
    if (!thaw_model_has_layers(model))
        return thaw_fail(model->context, THAW_INVALID_ARGUMENT, "%s: the model to export has no layer", path);
    const thaw_thread_scope scope = thaw_threads_enter(model->context);
    const thaw_status status = thaw_set_check_finite(&model->parameters, path);
    thaw_threads_leave(scope);
    return status;
}

thaw_status thaw_export_onnx(thaw_model *model, const char *path, const thaw_onnx_options *options)
{
    thaw_onnx_graph graph;
    thaw_status status = check(model, path);
    if (status != THAW_OK)
        return status;
    status = thaw_onnx_graph_begin(&graph, model);
    if (status == THAW_OK)
        status = fill(&graph, options);
    if (status == THAW_OK)
        status = thaw_onnx_file_write(&graph, path);
    thaw_onnx_graph_release(&graph);
    return status;
}
