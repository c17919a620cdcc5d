/* Statistics that follow the batches. Forward updates copies of them; the parameters change when the step has. */
#include <math.h>
#include <string.h>

#include "core/allocation.h"
#include "plan/plan.h"

void thaw_plan_bind_statistics(const thaw_plan *plan, thaw_node index, char *memory)
{
    const thaw_graph_node *node = &plan->model->nodes[index];
    thaw_plan_node *planned = &plan->nodes[index];
    for (size_t k = 0; memory && k < node->group->parameter_count; k++) {
        const thaw_parameter *parameter = node->group->parameters[k];
        if (parameter->role != THAW_STATISTIC)
            continue;
        planned->bound.statistics[k] = (float *)(void *)memory;
        memory += thaw_align(parameter->count * sizeof(float));
    }
}

void thaw_plan_stage_statistics(const thaw_plan *plan, thaw_node index)
{
    const thaw_graph_node *node = &plan->model->nodes[index];
    const thaw_plan_node *planned = &plan->nodes[index];
    for (size_t k = 0; k < node->group->parameter_count; k++)
        if (planned->bound.statistics[k])
            memcpy(planned->bound.statistics[k], node->group->parameters[k]->data,
                   node->group->parameters[k]->count * sizeof(float));
}

/* Calls `visit` on each parameter that follows the batches with its staged values, until it returns false. */
static bool visit_staged(const thaw_plan *plan, bool (*visit)(thaw_parameter *parameter, const float *staged))
{
    for (size_t i = plan->prefix_count; i < plan->order_count; i++) {
        const thaw_graph_node *node = &plan->model->nodes[plan->order[i]];
        const thaw_plan_node *planned = &plan->nodes[plan->order[i]];
        for (size_t k = 0; planned->places.statistics >= 0 && k < node->group->parameter_count; k++)
            if (planned->bound.statistics[k] && !visit(node->group->parameters[k], planned->bound.statistics[k]))
                return false;
    }
    return true;
}

static bool is_finite(thaw_parameter *parameter, const float *staged)
{
    for (size_t i = 0; i < parameter->count; i++)
        if (!isfinite(staged[i]))
            return false;
    return true;
}

static bool take(thaw_parameter *parameter, const float *staged)
{
    memcpy(parameter->data, staged, parameter->count * sizeof(float));
    parameter->version++;
    return true;
}

bool thaw_plan_statistics_finite(const thaw_plan *plan)
{
    return visit_staged(plan, is_finite);
}

void thaw_plan_take_statistics(const thaw_plan *plan)
{
    visit_staged(plan, take);
}
