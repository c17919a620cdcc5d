#include "models/embedded_columns.h"

#include <stdio.h>
#include <thaw/layer_module.h>
#include <thaw/runtime.h>
#include <thaw/transformer_layers.h>

/* What is concatenated, of which a layer takes so many at a time. */
typedef struct parts {
    thaw_model *model;
    thaw_node features; /* the input */
    thaw_node items[THAW_MAX_INPUTS];
    size_t count;
} parts;

static thaw_status join(parts *p)
{
    if (p->count < 2)
        return THAW_OK;
    const thaw_concatenate_options last_axis = { .axis = -1 };
    const thaw_status status = thaw_concatenate(p->model, p->items, p->count, &last_axis, &p->items[0]);
    p->count = 1;
    return status;
}

/* Adds features; with a name, their product with a table. */
static thaw_status add(parts *p, size_t first, size_t count, const char *name, int64_t width)
{
    if (count == 0)
        return THAW_OK;
    thaw_status status = p->count == THAW_MAX_INPUTS ? join(p) : THAW_OK;
    thaw_node *item = &p->items[p->count];
    const thaw_slice_options part = { .axis = -1, .begin = (int64_t)first, .count = (int64_t)count };
    /* Of a 1 among zeros that is a row of the table. */
    const thaw_dense_options table = {
        .name = name, .units = width, .no_bias = true, .transposed = true, .initializer = THAW_INITIAL_NORMAL
    };
    if (status == THAW_OK)
        status = thaw_slice(p->model, p->features, &part, item);
    if (status == THAW_OK && name)
        status = thaw_dense(p->model, *item, &table, item);
    p->count++;
    return status;
}

thaw_status thaw_append_embedded_columns(thaw_model *model, const thaw_network_options *options, thaw_node *node)
{
    const thaw_column_list *columns = &options->categories;
    parts p = { .model = model, .features = *node };
    thaw_status status = THAW_OK;
    const thaw_shape *shape = thaw_model_node_shape(model, *node);
    const size_t all = shape->rank == 1 ? (size_t)shape->dims[0] : 0;
    size_t next = 0;
    if (columns->count == 0)
        return thaw_fail(thaw_model_context(model), THAW_INVALID_ARGUMENT,
                         "embed=%lld: no column of categories is known; at most %d can be", (long long)options->embed,
                         THAW_MOST_CATEGORY_COLUMNS);
    for (size_t i = 0; i < columns->count && status == THAW_OK; i++) {
        const thaw_category_column *column = &columns->items[i];
        char name[32];
        snprintf(name, sizeof name, "embedding%zu", i + 1);
        if (column->first < next || column->first + column->count > all)
            return thaw_fail(thaw_model_context(model), THAW_INVALID_ARGUMENT,
                             "categories: %zu:%zu must be behind the column before, and among %zu features",
                             column->first, column->count, all);
        status = add(&p, next, column->first - next, NULL, 0);
        if (status == THAW_OK)
            status = add(&p, column->first, column->count, name, options->embed);
        next = column->first + column->count;
    }
    if (status == THAW_OK)
        status = add(&p, next, all - next, NULL, 0);
    if (status == THAW_OK)
        status = join(&p);
    *node = p.items[0];
    return status;
}
