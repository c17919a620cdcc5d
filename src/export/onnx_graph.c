#include "export/onnx_graph.h"

#include <stdio.h>
#include <string.h>

struct thaw_onnx_block {
    thaw_onnx_block *next;
    void *memory;
};

thaw_status thaw_onnx_graph_begin(thaw_onnx_graph *graph, thaw_model *model)
{
    *graph = (thaw_onnx_graph){ .model = model, .context = model->context };
    graph->last_tensor = &graph->tensors;
    graph->last_node = &graph->nodes;
    graph->held = thaw_allocate_array(graph->context, model->node_count, sizeof *graph->held);
    if (!graph->held)
        graph->status = THAW_OUT_OF_MEMORY;
    return graph->status;
}

void thaw_onnx_graph_release(thaw_onnx_graph *graph)
{
    for (thaw_onnx_block *block = graph->blocks, *next; block; block = next) {
        next = block->next;
        thaw_release(graph->context, block->memory);
        thaw_release(graph->context, block);
    }
    thaw_release(graph->context, graph->held);
}

void *thaw_onnx_graph_allocate(thaw_onnx_graph *graph, size_t bytes)
{
    if (graph->status != THAW_OK)
        return NULL;
    thaw_onnx_block *block = thaw_allocate(graph->context, sizeof *block);
    void *memory = block ? thaw_allocate(graph->context, bytes ? bytes : 1) : NULL;
    if (!memory) {
        thaw_release(graph->context, block);
        graph->status = THAW_OUT_OF_MEMORY;
        return NULL;
    }
    *block = (thaw_onnx_block){ graph->blocks, memory };
    graph->blocks = block;
    return memory;
}

/* Names of layers contain no brackets, so this is neither a layer nor a parameter. */
const char *thaw_onnx_graph_name(thaw_onnx_graph *graph)
{
    const char *layer = graph->model->nodes[graph->at].name;
    const size_t capacity = strlen(layer) + 24;
    char *name = thaw_onnx_graph_allocate(graph, capacity);
    if (!name)
        return "";
    snprintf(name, capacity, "%s[%zu]", layer, ++graph->made);
    return name;
}

thaw_onnx_tensor *thaw_onnx_graph_tensor(thaw_onnx_graph *graph, thaw_onnx_type type, const thaw_shape *shape)
{
    const size_t element = type == THAW_ONNX_FLOATS ? sizeof(float) : sizeof(int64_t);
    thaw_onnx_tensor *tensor = thaw_onnx_graph_allocate(graph, sizeof *tensor);
    if (!tensor)
        return NULL;
    *tensor = (thaw_onnx_tensor){ .type = type, .shape = *shape, .bytes = thaw_shape_count(shape) * element };
    tensor->value.name = thaw_onnx_graph_name(graph);
    *graph->last_tensor = tensor;
    graph->last_tensor = &tensor->next;
    graph->tensor_count++;
    return graph->status == THAW_OK ? tensor : NULL;
}

thaw_onnx_value *thaw_onnx_graph_append(thaw_onnx_graph *graph, const thaw_onnx_operator *added)
{
    thaw_onnx_node *node = thaw_onnx_graph_allocate(graph, sizeof *node);
    if (!node)
        return NULL;
    node->operation = *added;
    node->value.name = thaw_onnx_graph_name(graph);
    *graph->last_node = node;
    graph->last_node = &node->next;
    graph->node_count++;
    return graph->status == THAW_OK ? &node->value : NULL;
}

/* The permutation that makes a batch of samples of this rank have the order. */
static thaw_onnx_attribute permutation(int rank, thaw_axis_order order)
{
    thaw_onnx_attribute made = { .name = "perm", .kind = THAW_ONNX_INTEGERS, .count = (size_t)rank + 1 };
    const bool first = order == THAW_CHANNELS_FIRST;
    for (int i = 1; i <= rank; i++)
        made.integers[i] = first ? (i == 1 ? rank : i - 1) : (i == rank ? 1 : i + 1);
    return made;
}

thaw_onnx_value *thaw_onnx_graph_hold(thaw_onnx_graph *graph, thaw_node node, thaw_axis_order order)
{
    thaw_onnx_held *held = &graph->held[node];
    const int rank = graph->model->nodes[node].output.rank;
    const thaw_axis_order other = order == THAW_CHANNELS_FIRST ? THAW_CHANNELS_LAST : THAW_CHANNELS_FIRST;
    if (graph->status != THAW_OK)
        return NULL;
    if (!held->values[order] && rank < 2)
        held->values[order] = held->values[other];
    const thaw_onnx_operator transposed = { .kind = "Transpose",
                                            .inputs = { held->values[other] },
                                            .attributes = { permutation(rank, order) } };
    if (!held->values[order])
        held->values[order] = thaw_onnx_graph_append(graph, &transposed);
    return held->values[order];
}
