#include "policy/model_blocks.h"

#include <ctype.h>
#include <string.h>
#include <thaw/strategy.h>

#include "graph/model.h"

/* Whether a layer only scales and shifts what is below it. */
static bool is_normalisation(const thaw_group *group)
{
    for (size_t i = 0; i < group->parameter_count; i++)
        if (group->parameters[i]->role == THAW_WEIGHT || group->parameters[i]->role == THAW_BIAS)
            return false;
    return true;
}

size_t thaw_block_prefix_length(const char *layer)
{
    for (const char *dot = strchr(layer, '.'); dot; dot = strchr(dot + 1, '.')) {
        size_t digits = 0;
        while (isdigit((unsigned char)dot[1 + digits]))
            digits++;
        if (digits && dot[1 + digits] == '.')
            return (size_t)(dot + 1 + digits - layer);
    }
    return 0;
}

/* Whether a layer's parameter is one of the network itself, such as tokens and positions of a transformer. */
static bool is_own(const thaw_group *group)
{
    return group->parameter_count == 1 && strcmp(group->parameters[0]->name, group->name) == 0;
}

static bool same_block(const char *below, const char *name)
{
    const size_t length = thaw_block_prefix_length(name);
    return length && length == thaw_block_prefix_length(below) && strncmp(below, name, length) == 0;
}

/* Normalisation belongs to what is below it, unless its name says that it comes first in a block. */
static bool belongs_below(const thaw_group *group, const char *below, const char *name)
{
    return (is_normalisation(group) && thaw_block_prefix_length(name) == 0) || is_own(group) || same_block(below, name);
}

static thaw_status merge_head(thaw_model *model, const char *head, thaw_model_blocks *blocks)
{
    thaw_trainability ignored;
    const thaw_status status = thaw_model_trainability(model, head, &ignored);
    if (status != THAW_OK)
        return status;
    for (size_t i = 0; i < model->node_count; i++) {
        const thaw_group *group = model->nodes[i].group;
        bool selected = false;
        for (size_t k = 0; group && k < group->parameter_count; k++)
            selected = selected || thaw_parameter_selected(group->parameters[k], head);
        if (!selected)
            continue;
        blocks->count = blocks->of_node[i];
        for (size_t above = i; above < model->node_count; above++)
            if (blocks->of_node[above])
                blocks->of_node[above] = blocks->count;
        return THAW_OK;
    }
    return thaw_fail(model->context, THAW_NOT_FOUND, "head pattern \"%.200s\" selects no layer", head);
}

thaw_status thaw_model_blocks_find(thaw_model *model, const char *head, thaw_model_blocks *blocks)
{
    *blocks = (thaw_model_blocks){ 0 };
    blocks->of_node = thaw_allocate_array(model->context, model->node_count + 1, sizeof *blocks->of_node);
    if (!blocks->of_node)
        return THAW_OUT_OF_MEMORY;
    const char *below = NULL;
    for (size_t i = 0; i < model->node_count; i++) {
        const thaw_graph_node *node = &model->nodes[i];
        if (!node->group || node->group->parameter_count == 0)
            continue;
        const bool begins = !below || !belongs_below(node->group, below, node->name);
        blocks->count += begins;
        blocks->of_node[i] = blocks->count;
        if (begins || !is_normalisation(node->group))
            below = node->name;
    }
    if (blocks->count == 0)
        return thaw_fail(model->context, THAW_INVALID_ARGUMENT, "the model has no layer with parameters");
    return head ? merge_head(model, head, blocks) : THAW_OK;
}

void thaw_model_blocks_release(thaw_context *context, thaw_model_blocks *blocks)
{
    thaw_release(context, blocks->of_node);
    *blocks = (thaw_model_blocks){ 0 };
}

thaw_status thaw_model_block(thaw_model *model, const char *head, size_t node, size_t *block, size_t *blocks)
{
    if (node >= model->node_count)
        return thaw_fail(model->context, THAW_INVALID_ARGUMENT, "node is %zu, must be below %zu", node,
                         model->node_count);
    thaw_model_blocks found;
    const thaw_status status = thaw_model_blocks_find(model, head, &found);
    if (status == THAW_OK) {
        *block = found.of_node[node];
        if (blocks)
            *blocks = found.count;
    }
    thaw_model_blocks_release(model->context, &found);
    return status;
}
