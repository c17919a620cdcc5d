/* Warnings in the context's log about effects of a plan that a user may not expect. */
#include <string.h>

#include "core/context.h"
#include "plan/plan.h"

/* Whether a layer would draw random numbers but does not, and no warning has been given. */
static bool is_silent(const thaw_plan *plan, const bool *told, thaw_node index)
{
    return plan->model->nodes[index].draws && plan->nodes[index].close && !told[index];
}

/* Counts the layers of the kind from order[first] on that are silent, and notes that they are told. */
static size_t tell_kind(const thaw_plan *plan, bool *told, size_t first, const char *kind)
{
    size_t count = 0;
    for (size_t i = first; i < plan->prefix_count; i++) {
        const thaw_node index = plan->order[i];
        if (!is_silent(plan, told, index) || strcmp(plan->model->nodes[index].module->name, kind) != 0)
            continue;
        told[index] = true;
        count++;
    }
    return count;
}

void thaw_plan_warn(const thaw_plan *plan, bool *told)
{
    for (size_t i = 0; plan->training && i < plan->prefix_count; i++) {
        if (!is_silent(plan, told, plan->order[i]))
            continue;
        const thaw_graph_node *node = &plan->model->nodes[plan->order[i]];
        const char *kind = node->module->name;
        const size_t count = tell_kind(plan, told, i, kind);
        if (count == 1)
            thaw_log(plan->model->context, THAW_LOG_WARNING,
                     "%s: this %s does nothing while everything below it is frozen; drop_when_frozen keeps it active",
                     node->name, kind);
        else
            thaw_log(plan->model->context, THAW_LOG_WARNING,
                     "%s and %zu more: these layers of %s do nothing while everything below them is frozen; "
                     "drop_when_frozen keeps them active",
                     node->name, count - 1, kind);
    }
}
