/* Statistics that follow the batches. Forward updates copies; a step that succeeds stores them in the parameters. */
#include <math.h>
#include <string.h>

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

void thaw_plan_list_staged(thaw_plan *plan)
{
    thaw_program *program = &plan->program;
    program->staged_count = 0;
    for (size_t i = plan->prefix_count; i < plan->order_count; i++) {
        const thaw_group *group = plan->model->nodes[plan->order[i]].group;
        const thaw_plan_node *planned = &plan->nodes[plan->order[i]];
        for (size_t k = 0; planned->places.statistics >= 0 && k < group->parameter_count; k++)
            if (planned->bound.statistics[k]) {
                program->staged_values[program->staged_count] = planned->bound.statistics[k];
                program->staged[program->staged_count++] =
                    (thaw_staged){ group->parameters[k], planned->bound.statistics[k] };
            }
    }
}

static bool is_finite(const thaw_staged *staged)
{
    for (size_t i = 0; i < staged->parameter->count; i++)
        if (!isfinite(staged->values[i]))
            return false;
    return true;
}

bool thaw_plan_statistics_finite(const thaw_plan *plan)
{
    for (size_t i = 0; i < plan->program.staged_count; i++)
        if (!is_finite(&plan->program.staged[i]))
            return false;
    return true;
}

void thaw_plan_take_statistics(const thaw_plan *plan)
{
    for (size_t i = 0; i < plan->program.staged_count; i++) {
        const thaw_staged *staged = &plan->program.staged[i];
        memcpy(staged->parameter->data, staged->values, staged->parameter->count * sizeof(float));
        staged->parameter->version++;
    }
}
