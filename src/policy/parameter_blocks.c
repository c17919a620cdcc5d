#include "policy/parameter_blocks.h"

#include <stdio.h>
#include <string.h>

#include "graph/model.h"

void thaw_model_blocks_name(const thaw_model *model, const thaw_model_blocks *blocks,
                            char (*names)[THAW_BLOCK_NAME_BYTES])
{
    for (size_t i = model->node_count; i-- > 0;) {
        const char *layer = model->nodes[i].name;
        const size_t shared = blocks->of_node[i] ? thaw_block_prefix_length(layer) : 0;
        if (blocks->of_node[i])
            snprintf(names[blocks->of_node[i] - 1], THAW_BLOCK_NAME_BYTES, "%.*s",
                     (int)(shared ? shared - 1 : strlen(layer)), layer);
    }
}

static bool belongs(const char *parameter, const char *layer)
{
    const size_t length = strlen(layer);
    return strncmp(parameter, layer, length) == 0 && parameter[length] == '.';
}

size_t thaw_block_of_parameter(const thaw_model *model, const thaw_model_blocks *blocks, const char *parameter)
{
    size_t block = blocks->count, longest = 0;
    for (size_t i = 0; i < model->node_count; i++) {
        const char *layer = model->nodes[i].name;
        if (blocks->of_node[i] && strlen(layer) >= longest && belongs(parameter, layer)) {
            longest = strlen(layer);
            block = blocks->of_node[i] - 1;
        }
    }
    return block;
}
