#include "plan/plan.h"

static size_t count_readers(const thaw_plan *plan, thaw_node of)
{
    size_t readers = 0;
    for (size_t i = 0; i < plan->order_count; i++) {
        const thaw_graph_node *node = &plan->model->nodes[plan->order[i]];
        for (size_t k = 0; k < node->input_count; k++)
            readers += node->inputs[k] == of;
    }
    return readers;
}

void thaw_pass_fusion(thaw_plan *plan)
{
    for (size_t i = 0; i < plan->node_count; i++) {
        const thaw_graph_node *node = &plan->model->nodes[i];
        plan->nodes[i].fused_into = -1;
        if (!plan->nodes[i].used || !node->module || node->module->activation == THAW_ACTIVATION_NONE)
            continue;
        const thaw_node before = node->inputs[0];
        const thaw_layer_module *module = plan->model->nodes[before].module;
        if (!module || !module->fuses_relu || count_readers(plan, before) != 1)
            continue;
        plan->nodes[before].activation = node->module->activation;
        plan->nodes[i].fused_into = before;
    }
}
