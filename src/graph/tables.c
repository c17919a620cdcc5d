/* Embeddings of whole numbers that a model takes as an input. */
#include <string.h>

#include "graph/model.h"

const thaw_graph_node *thaw_model_table_of(const thaw_model *model, thaw_node input, int64_t *rows)
{
    const thaw_graph_node *found = NULL;
    for (size_t i = model->first_layer; i < model->node_count; i++) {
        const thaw_graph_node *node = &model->nodes[i];
        if (node->input_count != 1 || node->inputs[0] != input || !node->group ||
            strcmp(node->module->name, "embedding") != 0)
            continue;
        const int64_t own = thaw_parameter_shape(thaw_group_parameter(node->group, 0))->dims[0];
        if (found && own >= *rows)
            continue;
        found = node;
        *rows = own;
    }
    return found;
}
