/* Adds nodes to a model. */
#include <stdio.h>
#include <string.h>

#include "core/allocation.h"
#include "core/module_head.h"
#include "core/name.h"
#include "graph/model.h"

static const thaw_layer_capabilities no_capabilities = { .size = sizeof no_capabilities };

static bool name_taken(const thaw_model *model, const char *name)
{
    for (size_t i = 0; i < model->node_count; i++)
        if (strcmp(model->nodes[i].name, name) == 0)
            return true;
    return false;
}

/* Whether a node's name is a path that begins with this one. */
static bool is_compound(const thaw_model *model, const char *name)
{
    const size_t bytes = strlen(name);
    for (size_t i = 0; i < model->node_count; i++)
        if (strncmp(model->nodes[i].name, name, bytes) == 0 && model->nodes[i].name[bytes] == '.')
            return true;
    return false;
}

const char *thaw_model_make_name(const thaw_model *model, const char *kind, char name[THAW_NAME_BYTES])
{
    size_t number = 1;
    do {
        snprintf(name, THAW_NAME_BYTES, "%.100s%zu", kind, number++);
    } while (name_taken(model, name) || is_compound(model, name));
    return name;
}

static thaw_status reserve_node(thaw_model *model, const char *name, thaw_graph_node **node)
{
    thaw_graph_node *nodes =
        thaw_grow(model->context, model->nodes, &model->node_capacity, model->node_count + 1, sizeof *nodes);
    if (!nodes)
        return THAW_OUT_OF_MEMORY;
    model->nodes = nodes;
    *node = &nodes[model->node_count];
    **node = (thaw_graph_node){ .name = thaw_copy_text(model->context, name), .capabilities = &no_capabilities };
    return (*node)->name ? THAW_OK : THAW_OUT_OF_MEMORY;
}

thaw_status thaw_model_reserve_sample(thaw_model *model, const char *name, thaw_graph_node **node)
{
    return reserve_node(model, name, node);
}

/* NULL: none, or the module is too old to know of them. */
static const thaw_layer_capabilities *offered_capabilities(const thaw_layer_module *module)
{
    return module->size < offsetof(thaw_layer_module, capabilities) + sizeof module->capabilities
               ? NULL
               : module->capabilities;
}

static const char *capabilities_error(const thaw_layer_capabilities *offered, char message[THAW_HEAD_MESSAGE_BYTES])
{
    if (!offered || (offered->size >= sizeof offered->size && offered->size <= sizeof *offered))
        return NULL;
    snprintf(message, THAW_HEAD_MESSAGE_BYTES, "its capabilities have %zu bytes, must have %zu to %zu", offered->size,
             sizeof offered->size, sizeof *offered);
    return message;
}

static thaw_status check_module(thaw_context *context, const thaw_layer_module *module, const char *name)
{
    static const thaw_module_kind kind = {
        .name = "a layer module",
        .abi = THAW_LAYER_ABI,
        .least = offsetof(thaw_layer_module, release) + sizeof(((thaw_layer_module *)0)->release),
        .whole = sizeof(thaw_layer_module),
    };
    char message[THAW_HEAD_MESSAGE_BYTES];
    const char *error = "it is missing";
    if (module)
        error = thaw_module_head_error(&kind, &(thaw_module_head){ module->size, module->abi }, message);
    if (!error && !(module->name && *module->name))
        error = "its name is missing";
    if (!error && !module->build)
        error = "it has no build function";
    if (!error)
        error = capabilities_error(offered_capabilities(module), message);
    return error ? thaw_fail(context, THAW_INVALID_ARGUMENT, "%s: the layer's module: %s", name ? name : "layer", error)
                 : THAW_OK;
}

static thaw_status check_inputs(const thaw_model *model, const thaw_layer_module *module, const char *name,
                                const thaw_node *inputs, size_t count)
{
    if (model->node_count == 0)
        return thaw_fail(model->context, THAW_INVALID_ARGUMENT,
                         "%s: the model has no input yet, thaw_input must come first", name);
    if (module->source && count > 0)
        return thaw_fail(model->context, THAW_INVALID_ARGUMENT, "%s: has %zu inputs, a %s must have none", name, count,
                         module->name);
    if (!module->source && (count < 1 || count > THAW_MAX_INPUTS))
        return thaw_fail(model->context, THAW_INVALID_ARGUMENT, "%s: has %zu inputs, must have 1 to %d", name, count,
                         THAW_MAX_INPUTS);
    if (thaw_model_loss(model) >= 0)
        return thaw_fail(model->context, THAW_INVALID_ARGUMENT, "%s: nothing may follow the loss", name);
    for (size_t i = 0; i < count; i++)
        if (inputs[i] < 0 || (size_t)inputs[i] >= model->node_count)
            return thaw_fail(model->context, THAW_INVALID_ARGUMENT, "%s: input %d is not a node of the model", name,
                             (int)inputs[i]);
    return THAW_OK;
}

static thaw_status check_name(const thaw_model *model, const char *name)
{
    if (!*name || strlen(name) >= THAW_NAME_BYTES)
        return thaw_fail(model->context, THAW_INVALID_ARGUMENT, "a layer's name must have 1 to %d characters",
                         THAW_NAME_BYTES - 1);
    const char *error = thaw_name_error(name);
    if (error)
        return thaw_fail(model->context, THAW_INVALID_ARGUMENT, "the layer's name \"%s\" %s", name, error);
    if (name_taken(model, name))
        return thaw_fail(model->context, THAW_DUPLICATE, "%s: another layer has this name", name);
    return THAW_OK;
}

/* Gives the node its own copy of the options, with everything that they point to, or none. */
static thaw_status copy_options(thaw_layer_builder *builder, thaw_graph_node *node, const void *options)
{
    const size_t bytes = node->module->options_size;
    if (!bytes)
        return THAW_OK;
    thaw_context *context = builder->model->context;
    void *copy = thaw_allocate(context, bytes);
    if (!copy)
        return THAW_OUT_OF_MEMORY;
    if (options)
        memcpy(copy, options, bytes);
    const thaw_status status = node->module->adopt_options ? node->module->adopt_options(builder, copy) : THAW_OK;
    if (status == THAW_OK)
        node->options = copy;
    else
        thaw_release(context, copy);
    return status;
}

/* Gives the node its module and its capabilities: older ones as copies, in which the fields that they lack are zero. */
static thaw_status set_module(thaw_context *context, thaw_graph_node *node, const thaw_layer_module *module)
{
    const thaw_layer_capabilities *offered = offered_capabilities(module);
    node->module = module;
    node->capabilities = offered ? offered : &no_capabilities;
    if (module->size == sizeof *module && node->capabilities->size == sizeof *offered)
        return THAW_OK;
    node->completed = thaw_allocate(context, sizeof *node->completed);
    if (!node->completed)
        return THAW_OUT_OF_MEMORY;
    memcpy(&node->completed->module, module, module->size);
    memcpy(&node->completed->capabilities, node->capabilities, node->capabilities->size);
    node->module = &node->completed->module;
    node->capabilities = &node->completed->capabilities;
    return THAW_OK;
}

/* Copies the options and lets the module fill the node. */
static thaw_status build_node(thaw_model *model, thaw_graph_node *node, const void *options)
{
    thaw_context *context = model->context;
    thaw_layer_builder builder = {
        .model = model,
        .name = node->name,
        .inputs = node->inputs,
        .input_count = node->input_count,
        .loss = node->module->loss,
        .node = node,
    };
    thaw_status status = copy_options(&builder, node, options);
    if (status == THAW_OK)
        status = node->module->build(&builder, node->options);
    if (status != THAW_OK)
        return status;
    if (!builder.has_output)
        return thaw_fail(context, THAW_INTERNAL, "%s: the module declared no output", node->name);
    if (builder.loss && node->output.rank != 0)
        return thaw_fail(context, THAW_INTERNAL, "%s: the module is a loss, its output must be a scalar", node->name);
    return THAW_OK;
}

thaw_status thaw_model_append(thaw_model *model, const thaw_layer_module *module, const char *name,
                              const thaw_node *inputs, size_t input_count, const void *options, thaw_node *output)
{
    char made_name[THAW_NAME_BYTES];
    thaw_status status = check_module(model->context, module, name);
    if (status != THAW_OK)
        return status;
    const char *given_or_made = name ? name : thaw_model_make_name(model, module->name, made_name);
    status = check_inputs(model, module, given_or_made, inputs, input_count);
    if (status == THAW_OK)
        status = check_name(model, given_or_made);
    if (status != THAW_OK)
        return status;

    thaw_graph_node *node = NULL;
    const size_t groups_before = model->parameters.group_count;
    status = reserve_node(model, given_or_made, &node);
    if (status != THAW_OK)
        return status;
    for (size_t i = 0; i < input_count; i++)
        node->inputs[i] = inputs[i];
    node->input_count = input_count;
    status = set_module(model->context, node, module);
    if (status == THAW_OK)
        status = build_node(model, node, options);
    if (status != THAW_OK) {
        if (model->parameters.group_count > groups_before)
            thaw_set_drop_group(&model->parameters);
        thaw_node_release(model->context, node);
        return status;
    }
    *output = (thaw_node)model->node_count++;
    model->parameters.revision++;
    return THAW_OK;
}

void thaw_model_truncate(thaw_model *model, size_t node_count)
{
    while (model->node_count > node_count) {
        thaw_graph_node *node = &model->nodes[--model->node_count];
        if (node->group)
            thaw_set_drop_group(&model->parameters);
        thaw_node_release(model->context, node);
        model->parameters.revision++;
    }
}
