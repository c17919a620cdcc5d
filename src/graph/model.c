#include "graph/model.h"

#include "io/module_file.h"

thaw_status thaw_model_create(thaw_context *context, thaw_model **model)
{
    *model = thaw_allocate(context, sizeof **model);
    if (!*model)
        return THAW_OUT_OF_MEMORY;
    (*model)->context = context;
    (*model)->parameters.context = context;
    (*model)->notes.context = context;
    return THAW_OK;
}

void thaw_node_release(thaw_context *context, thaw_graph_node *node)
{
    if (node->options && node->module->release_options)
        node->module->release_options(context, node->options);
    thaw_release(context, node->options);
    thaw_release(context, node->completed);
    thaw_release(context, node->name);
}

void thaw_model_destroy(thaw_model *model)
{
    if (!model)
        return;
    thaw_context *context = model->context;
    if (model->release_plans)
        model->release_plans(model);
    for (size_t i = 0; i < model->node_count; i++)
        thaw_node_release(context, &model->nodes[i]);
    thaw_release(context, model->nodes);
    thaw_release(context, model->packed);
    thaw_set_release(&model->parameters);
    thaw_notes_clear(&model->notes);
    void *library = model->library;
    thaw_release(context, model);
    thaw_module_file_close(library);
}

thaw_context *thaw_model_context(const thaw_model *model)
{
    return model->context;
}

thaw_node thaw_model_loss(const thaw_model *model)
{
    const size_t count = model->node_count;
    return count > 1 && model->nodes[count - 1].module->loss ? (thaw_node)count - 1 : -1;
}

thaw_node thaw_model_output(const thaw_model *model)
{
    const thaw_node loss = thaw_model_loss(model);
    return loss >= 0 ? model->nodes[loss].inputs[0] : (thaw_node)model->node_count - 1;
}

size_t thaw_model_node_count(const thaw_model *model)
{
    return model->node_count;
}

const thaw_shape *thaw_model_node_shape(const thaw_model *model, thaw_node node)
{
    return node >= 0 && (size_t)node < model->node_count ? &model->nodes[node].output : NULL;
}

thaw_status thaw_model_change(thaw_model *model, const char *pattern,
                              void (*visit)(void *argument, thaw_selected selected), void *argument)
{
    const thaw_status status = thaw_set_select(&model->parameters, pattern, visit, argument);
    model->parameters.revision += status == THAW_OK;
    return status;
}
