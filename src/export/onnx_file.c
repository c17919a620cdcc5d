/* Writes a graph as a file of ONNX, in the format's own messages (onnx.proto). */
#include <stdint.h>
#include <string.h>

#include "export/onnx_graph.h"
#include "io/new_file.h"
#include "onnx.pb-c.h"

enum { IR_VERSION = 8, OPSET = 17 };

/* Larger messages are refused by readers. */
static const size_t most_bytes = INT32_MAX;

/* protobuf-c's texts are not const; it only reads them. */
static char *text(const char *constant)
{
    return (char *)(uintptr_t)constant;
}

/* An array of pointers to `count` zeroed messages of `bytes` each; NULL after an error. */
static void *make_list(thaw_onnx_graph *graph, size_t count, size_t bytes)
{
    void **list = thaw_onnx_graph_allocate(graph, count * sizeof *list);
    char *all = thaw_onnx_graph_allocate(graph, count * bytes);
    for (size_t i = 0; list && all && i < count; i++)
        list[i] = all + i * bytes;
    return all ? list : NULL;
}

/* ---------------------------------------------------------------- inputs and outputs */

typedef struct value_info {
    Onnx__ValueInfoProto info;
    Onnx__TypeProto type;
    Onnx__TypeProto__Tensor tensor;
    Onnx__TensorShapeProto shape;
    Onnx__TensorShapeProto__Dimension dimensions[THAW_MAX_RANK + 1], *list[THAW_MAX_RANK + 1];
    Onnx__ValueInfoProto *itself;
} value_info;

static int32_t type_of(thaw_onnx_type type)
{
    return type == THAW_ONNX_FLOATS ? ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT : ONNX__TENSOR_PROTO__DATA_TYPE__INT64;
}

/* A batch. */
static void describe(const thaw_onnx_end *end, value_info *made)
{
    const thaw_shape *sample = &end->shape;
    onnx__value_info_proto__init(&made->info);
    onnx__type_proto__init(&made->type);
    onnx__type_proto__tensor__init(&made->tensor);
    onnx__tensor_shape_proto__init(&made->shape);
    for (int i = 0; i <= sample->rank; i++) {
        Onnx__TensorShapeProto__Dimension *dimension = made->list[i] = &made->dimensions[i];
        onnx__tensor_shape_proto__dimension__init(dimension);
        if (i == 0) {
            dimension->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
            dimension->dim_param = text("batch");
        } else {
            dimension->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
            dimension->dim_value = sample->dims[i - 1];
        }
    }
    made->shape.n_dim = (size_t)sample->rank + 1;
    made->shape.dim = made->list;
    made->tensor.has_elem_type = 1;
    made->tensor.elem_type = type_of(end->type);
    made->tensor.shape = &made->shape;
    made->type.value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    made->type.tensor_type = &made->tensor;
    made->info.name = text(end->value.name);
    made->info.type = &made->type;
    made->itself = &made->info;
}

/* ---------------------------------------------------------------- tensors */

static void fill_tensors(thaw_onnx_graph *graph, Onnx__GraphProto *message)
{
    Onnx__TensorProto **list = make_list(graph, graph->tensor_count, sizeof **list);
    size_t count = 0;
    for (thaw_onnx_tensor *tensor = graph->tensors; list && tensor; tensor = tensor->next) {
        Onnx__TensorProto *made = list[count++];
        onnx__tensor_proto__init(made);
        made->name = text(tensor->value.name);
        made->n_dims = (size_t)tensor->shape.rank;
        made->dims = tensor->shape.dims;
        made->has_data_type = 1;
        made->data_type = type_of(tensor->type);
        made->has_raw_data = 1;
        made->raw_data.len = tensor->bytes;
        made->raw_data.data = (uint8_t *)(uintptr_t)tensor->data;
    }
    message->n_initializer = count;
    message->initializer = list;
}

/* ---------------------------------------------------------------- operators */

static void fill_attribute(thaw_onnx_attribute *attribute, Onnx__AttributeProto *made)
{
    onnx__attribute_proto__init(made);
    made->name = text(attribute->name);
    made->has_type = 1;
    switch (attribute->kind) {
    case THAW_ONNX_INTEGER:
        made->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT;
        made->has_i = 1;
        made->i = attribute->integer;
        break;
    case THAW_ONNX_REAL:
        made->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT;
        made->has_f = 1;
        made->f = (float)attribute->real;
        break;
    case THAW_ONNX_TEXT:
        made->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING;
        made->has_s = 1;
        made->s.len = strlen(attribute->text);
        made->s.data = (uint8_t *)text(attribute->text);
        break;
    case THAW_ONNX_INTEGERS:
        made->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS;
        made->n_ints = attribute->count;
        made->ints = attribute->integers;
        break;
    }
}

static void fill_attributes(thaw_onnx_graph *graph, thaw_onnx_operator *from, Onnx__NodeProto *made)
{
    size_t count = 0;
    while (count < THAW_ONNX_MAX_ATTRIBUTES && from->attributes[count].name)
        count++;
    made->attribute = make_list(graph, count, sizeof **made->attribute);
    made->n_attribute = made->attribute ? count : 0;
    for (size_t i = 0; i < made->n_attribute; i++)
        fill_attribute(&from->attributes[i], made->attribute[i]);
}

/* Inputs and outputs that are left out have the name "". */
static void fill_names(thaw_onnx_graph *graph, const thaw_onnx_node *node, Onnx__NodeProto *made)
{
    const thaw_onnx_operator *from = &node->operation;
    size_t inputs = THAW_ONNX_MAX_INPUTS;
    while (inputs && !from->inputs[inputs - 1])
        inputs--;
    char **names = thaw_onnx_graph_allocate(graph, (inputs + from->output + 1) * sizeof *names);
    if (!names)
        return;
    for (size_t i = 0; i < inputs; i++)
        names[i] = text(from->inputs[i] ? from->inputs[i]->name : "");
    for (size_t i = 0; i <= from->output; i++)
        names[inputs + i] = text(i == from->output ? node->value.name : "");
    made->input = names;
    made->n_input = inputs;
    made->output = names + inputs;
    made->n_output = from->output + 1;
}

static void fill_nodes(thaw_onnx_graph *graph, Onnx__GraphProto *message)
{
    Onnx__NodeProto **list = make_list(graph, graph->node_count, sizeof **list);
    size_t count = 0;
    for (thaw_onnx_node *node = graph->nodes; list && node; node = node->next) {
        Onnx__NodeProto *made = list[count++];
        onnx__node_proto__init(made);
        made->name = text(node->value.name);
        made->op_type = text(node->operation.kind);
        fill_names(graph, node, made);
        fill_attributes(graph, &node->operation, made);
    }
    message->n_node = count;
    message->node = list;
}

/* ---------------------------------------------------------------- the model */

static void fill_metadata(thaw_onnx_graph *graph, Onnx__ModelProto *message)
{
    message->metadata_props = make_list(graph, graph->metadata_count, sizeof **message->metadata_props);
    message->n_metadata_props = message->metadata_props ? graph->metadata_count : 0;
    for (size_t i = 0; i < message->n_metadata_props; i++) {
        Onnx__StringStringEntryProto *entry = message->metadata_props[i];
        onnx__string_string_entry_proto__init(entry);
        entry->key = text(graph->metadata[i].name);
        entry->value = text(graph->metadata[i].text);
    }
}

/* A place that protobuf-c appends to. */
typedef struct file_buffer {
    ProtobufCBuffer base;
    thaw_new_file file;
    thaw_status status;
} file_buffer;

static void append(ProtobufCBuffer *buffer, size_t length, const uint8_t *data)
{
    file_buffer *made = (file_buffer *)(void *)buffer;
    if (made->status == THAW_OK && length)
        made->status = thaw_new_file_write(&made->file, data, length);
}

static thaw_status write_message(thaw_onnx_graph *graph, const char *path, const Onnx__ModelProto *message)
{
    const size_t bytes = onnx__model_proto__get_packed_size(message);
    file_buffer buffer = { .base = { .append = append } };
    if (bytes > most_bytes)
        return thaw_fail(graph->context, THAW_UNSUPPORTED, "%s: the model takes %zu bytes, a file of ONNX at most %zu",
                         path, bytes, most_bytes);
    thaw_status status = thaw_new_file_create(graph->context, path, bytes, &buffer.file);
    if (status != THAW_OK)
        return status;
    onnx__model_proto__pack_to_buffer(message, &buffer.base);
    if (buffer.status == THAW_OK)
        return thaw_new_file_commit(&buffer.file);
    thaw_new_file_discard(&buffer.file);
    return buffer.status;
}

thaw_status thaw_onnx_file_write(thaw_onnx_graph *graph, const char *path)
{
    Onnx__ModelProto model = ONNX__MODEL_PROTO__INIT;
    Onnx__GraphProto message = ONNX__GRAPH_PROTO__INIT;
    Onnx__OperatorSetIdProto operators = ONNX__OPERATOR_SET_ID_PROTO__INIT, *operator_sets = &operators;
    value_info inputs[THAW_MOST_MODEL_INPUTS], output;
    Onnx__ValueInfoProto *list[THAW_MOST_MODEL_INPUTS];
    message.n_input = graph->model->input_count;
    for (size_t i = 0; i < message.n_input; i++) {
        describe(&graph->inputs[i], &inputs[i]);
        list[i] = inputs[i].itself;
    }
    describe(&(thaw_onnx_end){ .value = *graph->output, .shape = graph->output_shape }, &output);
    message.name = text("thaw");
    message.n_output = 1;
    message.input = list;
    message.output = &output.itself;
    fill_tensors(graph, &message);
    fill_nodes(graph, &message);
    operators.domain = text("");
    operators.has_version = 1;
    operators.version = OPSET;
    model.has_ir_version = 1;
    model.ir_version = IR_VERSION;
    model.n_opset_import = 1;
    model.opset_import = &operator_sets;
    model.producer_name = text("thaw");
    model.producer_version = text(thaw_version());
    model.graph = &message;
    fill_metadata(graph, &model);
    return graph->status == THAW_OK ? write_message(graph, path, &model) : graph->status;
}
