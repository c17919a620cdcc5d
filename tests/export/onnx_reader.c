#include "export/onnx_reader.h"

#include <stdlib.h>
#include <string.h>
#include <thaw/export.h>

#include "support/files.h"
#include "support/support.h"

enum { MOST_NAMES = 4096 };

Onnx__ModelProto *onnx_read(const char *path)
{
    const long length = support_read_file(path, NULL, 0);
    cr_assert(length > 0, "%s: %ld bytes", path, length);
    uint8_t *bytes = malloc((size_t)length);
    support_read_file(path, bytes, (size_t)length);
    Onnx__ModelProto *file = onnx__model_proto__unpack(NULL, (size_t)length, bytes);
    free(bytes);
    cr_assert_not_null(file, "%s is no model of ONNX", path);
    return file;
}

Onnx__ModelProto *onnx_export(thaw_model *model, const char *path)
{
    assert_ok(thaw_model_context(model), thaw_export_onnx(model, path, NULL));
    return onnx_read(path);
}

const Onnx__TensorProto *onnx_tensor(const Onnx__ModelProto *file, const char *name)
{
    for (size_t i = 0; i < file->graph->n_initializer; i++)
        if (strcmp(file->graph->initializer[i]->name, name) == 0)
            return file->graph->initializer[i];
    return NULL;
}

const Onnx__NodeProto *onnx_node(const Onnx__ModelProto *file, const char *kind)
{
    for (size_t i = 0; i < file->graph->n_node; i++)
        if (strcmp(file->graph->node[i]->op_type, kind) == 0)
            return file->graph->node[i];
    return NULL;
}

const Onnx__AttributeProto *onnx_attribute(const Onnx__NodeProto *node, const char *name)
{
    for (size_t i = 0; i < node->n_attribute; i++)
        if (strcmp(node->attribute[i]->name, name) == 0)
            return node->attribute[i];
    cr_assert_fail("%s has no attribute %s", node->op_type, name);
    return NULL;
}

void assert_integers(const Onnx__NodeProto *node, const char *name, size_t count, const int64_t *values)
{
    const Onnx__AttributeProto *found = onnx_attribute(node, name);
    cr_assert_eq(found->type, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS);
    cr_assert_eq(found->n_ints, count, "%s of %s has %zu numbers, wanted %zu", name, node->op_type, found->n_ints,
                 count);
    for (size_t i = 0; i < count; i++)
        cr_assert_eq(found->ints[i], values[i], "number %zu of %s is %lld, wanted %lld", i, name,
                     (long long)found->ints[i], (long long)values[i]);
}

const char *onnx_metadata(const Onnx__ModelProto *file, const char *name)
{
    for (size_t i = 0; i < file->n_metadata_props; i++)
        if (strcmp(file->metadata_props[i]->key, name) == 0)
            return file->metadata_props[i]->value;
    return NULL;
}

/* ---------------------------------------------------------------- what every file keeps to */

typedef struct names {
    const char *items[MOST_NAMES];
    bool used[MOST_NAMES];
    size_t count;
    const char *what;
} names;

static void define(names *all, const char *name)
{
    for (size_t i = 0; i < all->count; i++)
        cr_assert_str_neq(all->items[i], name, "%s: two values are called %s", all->what, name);
    cr_assert(*name && all->count < MOST_NAMES);
    all->items[all->count++] = name;
}

static void use(names *all, const char *name)
{
    for (size_t i = 0; i < all->count; i++) {
        if (strcmp(all->items[i], name) != 0)
            continue;
        all->used[i] = true;
        return;
    }
    cr_assert_fail("%s: %s is used before it is there", all->what, name);
}

static void assert_tensor(const Onnx__TensorProto *tensor, const char *what)
{
    size_t bytes = tensor->data_type == ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT ? 4 : 8;
    for (size_t i = 0; i < tensor->n_dims; i++)
        bytes *= (size_t)tensor->dims[i];
    cr_assert(tensor->has_raw_data);
    cr_assert_eq(tensor->raw_data.len, bytes, "%s: %s has %zu bytes, wanted %zu", what, tensor->name,
                 tensor->raw_data.len, bytes);
}

static void assert_batch(const Onnx__ValueInfoProto *value, bool whole_numbers)
{
    cr_assert_eq(value->type->value_case, ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE);
    const Onnx__TypeProto__Tensor *tensor = value->type->tensor_type;
    cr_assert(tensor->elem_type == ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT ||
              (whole_numbers && tensor->elem_type == ONNX__TENSOR_PROTO__DATA_TYPE__INT64));
    cr_assert(tensor->shape->n_dim > 0);
    cr_assert_eq(tensor->shape->dim[0]->value_case, ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM);
    cr_assert_str_eq(tensor->shape->dim[0]->dim_param, "batch");
}

static void visit_node(names *all, const Onnx__NodeProto *node)
{
    for (size_t i = 0; i < node->n_input; i++)
        if (*node->input[i])
            use(all, node->input[i]);
    for (size_t i = 0; i < node->n_output; i++)
        if (*node->output[i])
            define(all, node->output[i]);
}

void assert_valid(const Onnx__ModelProto *file, const char *what)
{
    names *all = calloc(1, sizeof *all);
    const Onnx__GraphProto *graph = file->graph;
    all->what = what;
    cr_assert(file->ir_version == 8 && file->n_opset_import == 1 && file->opset_import[0]->version == 17);
    cr_assert_str_eq(file->producer_name, "thaw");
    cr_assert(graph->n_input >= 1 && graph->n_output == 1);
    cr_assert(graph->n_input > 1 || strcmp(graph->input[0]->name, "input") == 0);
    assert_batch(graph->output[0], false);
    for (size_t i = 0; i < graph->n_input; i++) {
        assert_batch(graph->input[i], graph->n_input > 1);
        define(all, graph->input[i]->name);
    }
    for (size_t i = 0; i < graph->n_initializer; i++) {
        assert_tensor(graph->initializer[i], what);
        define(all, graph->initializer[i]->name);
    }
    for (size_t i = 0; i < graph->n_node; i++)
        visit_node(all, graph->node[i]);
    use(all, graph->output[0]->name);
    for (size_t i = 0; i < all->count; i++)
        cr_assert(all->used[i], "%s: %s is used nowhere", what, all->items[i]);
    free(all);
}
