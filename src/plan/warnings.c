/* Warnings in the context's log about effects of a plan that a user may not expect. */
#include "core/context.h"
#include "plan/plan.h"

void thaw_plan_warn(const thaw_plan *plan, bool *told)
{
    for (size_t i = 0; plan->training && i < plan->prefix_count; i++) {
        const thaw_node index = plan->order[i];
        const thaw_graph_node *node = &plan->model->nodes[index];
        if (!node->draws || !plan->nodes[index].close || told[index])
            continue;
        told[index] = true;
        thaw_log(plan->model->context, THAW_LOG_WARNING,
                 "%s: this %s does nothing while everything below it is frozen; drop_when_frozen keeps it active",
                 node->name, node->module->name);
    }
}
