/* What a user may not expect of a plan, for the context's log. */
#include "core/context.h"
#include "plan/plan.h"

void thaw_plan_warn(const thaw_plan *plan)
{
    for (size_t i = 0; plan->training && i < plan->prefix_count; i++) {
        thaw_graph_node *node = &plan->model->nodes[plan->order[i]];
        if (!node->draws || !plan->nodes[plan->order[i]].close || node->told)
            continue;
        node->told = true;
        thaw_log(plan->model->context, THAW_LOG_WARNING,
                 "%s: this %s does nothing while all below it is frozen; its option drop_when_frozen keeps it active",
                 node->name, node->module->name);
    }
}
