/* Ends a model at one of its layers. */
#include <string.h>

#include "core/nearest.h"
#include "graph/model.h"
#include "params/expression.h"

static thaw_status fail_unknown(const thaw_model *model, const char *name)
{
    thaw_context *context = model->context;
    const size_t first = model->first_layer, count = model->node_count - first;
    const char **names = thaw_allocate_array(context, count, sizeof *names);
    if (!names)
        return THAW_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++)
        names[i] = model->nodes[first + i].name;
    const char *nearest = thaw_nearest(name, names, count);
    thaw_fail(context, THAW_NOT_FOUND, "the network has no layer \"%.100s\"%s%s%s", name, THAW_DID_YOU_MEAN(nearest));
    thaw_release(context, names);
    return THAW_NOT_FOUND;
}

thaw_status thaw_model_end_at(thaw_model *model, const char *name)
{
    size_t last = model->first_layer;
    while (last < model->node_count && strcmp(model->nodes[last].name, name) != 0)
        last++;
    if (last >= model->node_count)
        return fail_unknown(model, name);
    if (model->nodes[last].module->loss)
        return thaw_fail(model->context, THAW_NOT_FOUND, "%s is the loss, which has no features", name);
    const thaw_status status = thaw_set_prepare_removal(&model->parameters);
    if (status != THAW_OK)
        return status;
    while (model->node_count > last + 1) {
        thaw_graph_node *node = &model->nodes[--model->node_count];
        if (node->group)
            thaw_set_remove_group(&model->parameters, node->group);
        thaw_node_release(model->context, node);
    }
    thaw_set_mark_use(&model->parameters);
    model->parameters.bindings++;
    model->parameters.revision++;
    return THAW_OK;
}
