/* Exported networks, read back. What ONNX Runtime computes with them is in onnxruntime_test.c. */
#include <string.h>
#include <thaw/export.h>

#include "export/networks.h"
#include "export/onnx_reader.h"
#include "support/assorted_network.h"
#include "support/files.h"
#include "support/layer_kinds.h"
#include "support/network.h"
#include "train/named_network.h"

static thaw_context *context;
static thaw_model *model;
static thaw_node x;
static char directory[SUPPORT_PATH_BYTES], path[SUPPORT_PATH_BYTES];

static void begin(void)
{
    context = support_context(2);
    support_make_directory(directory);
    support_path(path, directory, "network.onnx");
    assert_ok(context, thaw_model_create(context, &model));
}

static void end(void)
{
    support_remove_directory(directory);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* [5, 4, 2] to a convolution of 3 filters, and 6 logits. */
static void build_classifier(void)
{
    const thaw_conv2d_options conv = {
        .name = "conv", .filters = 3, .kernel = { 3, 2 }, .stride = { 2, 1 }, .padding = { 1, 0 }
    };
    assert_ok(context, thaw_input(model, &(thaw_shape){ 3, { 5, 4, 2 } }, &x));
    assert_ok(context, thaw_conv2d(model, x, &conv, &x));
    assert_ok(context, thaw_relu(model, x, NULL, &x));
    assert_ok(context, thaw_flatten(model, x, NULL, &x));
    assert_ok(context, thaw_dropout(model, x, &(thaw_dropout_options){ .rate = 0.5 }, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "fc", .units = 6 }, &x));
    assert_ok(context, thaw_softmax_cross_entropy(model, x, NULL, &x));
}

static void assert_parameter(const Onnx__ModelProto *file, const char *name)
{
    const Onnx__TensorProto *tensor = onnx_tensor(file, name);
    const thaw_parameter *parameter = thaw_model_find_parameter(model, name);
    const thaw_shape *shape = thaw_parameter_shape(parameter);
    cr_assert_not_null(tensor, "%s is not in the file", name);
    cr_assert_eq(tensor->n_dims, (size_t)shape->rank);
    for (int i = 0; i < shape->rank; i++)
        cr_assert_eq(tensor->dims[i], shape->dims[i]);
    cr_assert_eq(memcmp(tensor->raw_data.data, thaw_parameter_data(parameter), tensor->raw_data.len), 0);
}

static void assert_dims(const Onnx__ValueInfoProto *value, size_t count, const int64_t *dims)
{
    const Onnx__TensorShapeProto *shape = value->type->tensor_type->shape;
    cr_assert_eq(shape->n_dim, count + 1);
    for (size_t i = 0; i < count; i++)
        cr_assert_eq(shape->dim[i + 1]->dim_value, dims[i]);
}

Test(onnx, a_classifier_is_written_as_pytorch_has_it, .init = begin, .fini = end)
{
    static const char *const kinds[] = { "Conv", "Relu", "Flatten", "Gemm" };
    build_classifier();
    Onnx__ModelProto *file = onnx_export(model, path);
    assert_valid(file, "classifier");
    assert_dims(file->graph->input[0], 3, (int64_t[]){ 2, 5, 4 });
    assert_dims(file->graph->output[0], 1, (int64_t[]){ 6 });
    cr_assert_str_eq(file->graph->output[0]->name, "fc");
    cr_assert_eq(file->graph->n_node, THAW_COUNT(kinds));
    for (size_t i = 0; i < THAW_COUNT(kinds); i++)
        cr_assert_str_eq(file->graph->node[i]->op_type, kinds[i]);
    const Onnx__NodeProto *conv = file->graph->node[0];
    cr_assert_str_eq(conv->input[0], "input");
    cr_assert_str_eq(conv->output[0], "conv");
    assert_integers(conv, "kernel_shape", 2, (int64_t[]){ 3, 2 });
    assert_integers(conv, "strides", 2, (int64_t[]){ 2, 1 });
    assert_integers(conv, "pads", 4, (int64_t[]){ 1, 0, 1, 0 });
    cr_assert_eq(onnx_attribute(conv, "group")->i, 1);
    cr_assert_eq(onnx_attribute(file->graph->node[3], "transB")->i, 1);
    cr_assert_eq(file->graph->n_initializer, 4);
    assert_parameter(file, "conv.weight");
    assert_parameter(file, "conv.bias");
    assert_parameter(file, "fc.weight");
    assert_parameter(file, "fc.bias");
    onnx__model_proto__free_unpacked(file, NULL);
}

/* Token ids are int64 in the file, and floats for layers. */
Test(onnx, named_inputs_keep_names_and_types, .init = begin, .fini = end)
{
    assert_ok(context, named_network_build(model));
    Onnx__ModelProto *file = onnx_export(model, path);
    assert_valid(file, "named inputs");
    cr_assert_eq(file->graph->n_input, 2);
    cr_assert_str_eq(file->graph->input[0]->name, "ids");
    cr_assert_str_eq(file->graph->input[1]->name, "numbers");
    assert_dims(file->graph->input[0], 1, (int64_t[]){ NAMED_LENGTH });
    assert_dims(file->graph->input[1], 1, (int64_t[]){ NAMED_NUMBERS });
    cr_assert_eq(file->graph->input[0]->type->tensor_type->elem_type, ONNX__TENSOR_PROTO__DATA_TYPE__INT64);
    cr_assert_eq(file->graph->input[1]->type->tensor_type->elem_type, ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT);
    cr_assert_str_eq(file->graph->node[0]->op_type, "Cast");
    cr_assert_str_eq(file->graph->node[0]->input[0], "ids");
    cr_assert_eq(onnx_attribute(file->graph->node[0], "to")->i, ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT);
    onnx__model_proto__free_unpacked(file, NULL);
}

Test(onnx, notes_become_metadata, .init = begin, .fini = end)
{
    build_classifier();
    assert_ok(context, thaw_model_set_note(model, "thaw.images", "size=5;mean=0.5,0.25;std=1"));
    assert_ok(context, thaw_model_set_note(model, "thaw.classes", "[\"ant\",\"b\xc3\xa4r\"]"));
    Onnx__ModelProto *file = onnx_export(model, path);
    cr_assert_eq(file->n_metadata_props, 3);
    cr_assert_str_eq(onnx_metadata(file, "thaw.images"), "size=5;mean=0.5,0.25;std=1");
    cr_assert_str_eq(onnx_metadata(file, "thaw.classes"), "[\"ant\",\"b\xc3\xa4r\"]");
    cr_assert_str_eq(onnx_metadata(file, "thaw.version"), thaw_version());
    onnx__model_proto__free_unpacked(file, NULL);
}

Test(onnx, probabilities_are_a_softmax_of_the_logits, .init = begin, .fini = end)
{
    build_classifier();
    assert_ok(context, thaw_export_onnx(model, path, &(thaw_onnx_options){ .probabilities = true }));
    Onnx__ModelProto *file = onnx_read(path);
    assert_valid(file, "probabilities");
    cr_assert_str_eq(file->graph->output[0]->name, "probabilities");
    const Onnx__NodeProto *last = file->graph->node[file->graph->n_node - 1];
    cr_assert_str_eq(last->op_type, "Softmax");
    cr_assert_str_eq(last->input[0], "fc");
    cr_assert_eq(onnx_attribute(last, "axis")->i, -1);
    onnx__model_proto__free_unpacked(file, NULL);
}

/* W + alpha / rank * B A. */
Test(onnx, adapters_are_merged_into_the_weights, .init = begin, .fini = end)
{
    build_classifier();
    assert_ok(context, thaw_lora(model, "fc", 2, 3));
    const float *weight = thaw_parameter_data(thaw_model_find_parameter(model, "fc.weight"));
    float *up = thaw_parameter_edit(thaw_model_find_parameter(model, "fc.weight.lora_B"));
    const float *down = thaw_parameter_data(thaw_model_find_parameter(model, "fc.weight.lora_A"));
    support_fill(up, 12, 4);
    Onnx__ModelProto *file = onnx_export(model, path);
    assert_valid(file, "adapters");
    cr_assert_eq(file->graph->n_initializer, 4);
    const Onnx__TensorProto *tensor = onnx_tensor(file, "fc.weight");
    const size_t columns = (size_t)tensor->dims[1];
    float found[6 * 64];
    cr_assert(tensor->raw_data.len <= sizeof found && tensor->raw_data.len == 6 * columns * sizeof *found);
    memcpy(found, tensor->raw_data.data, tensor->raw_data.len);
    for (size_t i = 0; i < 6 * columns; i++) {
        const size_t row = i / columns, column = i % columns;
        const double change = 1.5 * ((double)up[2 * row] * (double)down[column] +
                                     (double)up[2 * row + 1] * (double)down[columns + column]);
        const float wanted = (float)((double)weight[i] + change);
        assert_close(&found[i], &wanted, 1, 1e-6, "fc.weight");
    }
    onnx__model_proto__free_unpacked(file, NULL);
}

/* The order of ONNX's gates: of PyTorch's i, f, g, o and r, z, n. */
static void assert_gates(const char *kind, size_t count, const int64_t *order)
{
    Onnx__ModelProto *file = onnx_export(model, path);
    assert_valid(file, kind);
    const Onnx__TensorProto *list = onnx_tensor(file, onnx_node(file, "Gather")->input[1]);
    cr_assert_eq(list->raw_data.len, count * sizeof *order);
    cr_assert_eq(memcmp(list->raw_data.data, order, count * sizeof *order), 0);
    const Onnx__NodeProto *node = onnx_node(file, kind);
    cr_assert_eq(onnx_attribute(node, "hidden_size")->i, 3);
    if (strcmp(kind, "GRU") == 0)
        cr_assert_eq(onnx_attribute(node, "linear_before_reset")->i, 1);
    assert_parameter(file, "cell.weight_ih_l0");
    assert_parameter(file, "cell.weight_hh_l0");
    assert_parameter(file, "cell.bias_hh_l0");
    onnx__model_proto__free_unpacked(file, NULL);
}

Test(onnx, gates_are_in_the_order_of_onnx, .init = begin, .fini = end)
{
    const thaw_recurrent_options options = { .name = "cell", .units = 3 };
    assert_ok(context, thaw_input(model, &(thaw_shape){ 2, { 4, 2 } }, &x));
    assert_ok(context, thaw_lstm(model, x, &options, &x));
    assert_gates("LSTM", 4, (int64_t[]){ 0, 3, 1, 2 });
    thaw_model_destroy(model);
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ 2, { 4, 2 } }, &x));
    assert_ok(context, thaw_gru(model, x, &options, &x));
    assert_gates("GRU", 3, (int64_t[]){ 1, 0, 2 });
}

/* An image at the end has its channels first; the layer's own value, which another reads, has them last. */
Test(onnx, the_output_has_the_name_of_its_layer_in_every_case, .init = begin, .fini = end)
{
    for (size_t i = 0; i < exported_network_count(); i++) {
        thaw_model *network = exported_network_build(context, i);
        thaw_summary_entry last;
        assert_ok(context, thaw_model_summary_entry(network, (size_t)thaw_model_output(network), &last));
        Onnx__ModelProto *file = onnx_export(network, path);
        assert_valid(file, exported_network_at(i)->name);
        cr_assert_str_eq(file->graph->output[0]->name, last.name, "%s: %s", exported_network_at(i)->name,
                         file->graph->output[0]->name);
        onnx__model_proto__free_unpacked(file, NULL);
        thaw_model_destroy(network);
    }
}

Test(onnx, every_layer_can_be_exported, .init = begin, .fini = end)
{
    layer_kinds kinds = { .count = 0 };
    for (size_t i = 0; i < ASSORTED_NETWORKS; i++) {
        assorted_network network = assorted_open(context, i);
        Onnx__ModelProto *file = onnx_export(network.model, path);
        assert_valid(file, "assorted");
        onnx__model_proto__free_unpacked(file, NULL);
        layer_kinds_add(&kinds, network.model);
        assorted_close(&network);
    }
    layer_kinds_assert_all(&kinds);
}

Test(onnx, an_input_alone_is_copied, .init = begin, .fini = end)
{
    assert_ok(context, thaw_input(model, &(thaw_shape){ 1, { 4 } }, &x));
    assert_fails(context, thaw_export_onnx(model, path, NULL), THAW_INVALID_ARGUMENT, "no layer");
    assert_ok(context, thaw_dropout(model, x, NULL, &x));
    Onnx__ModelProto *file = onnx_export(model, path);
    assert_valid(file, "dropout");
    cr_assert_str_eq(file->graph->node[0]->op_type, "Identity");
    cr_assert_str_eq(file->graph->output[0]->name, "dropout1");
    onnx__model_proto__free_unpacked(file, NULL);
}
