/* From what a plan trains to what its steps update. */
#include "core/allocation.h"
#include "plan/plan.h"

/* What each used parameter's layer gets, for finding out which elements no gradient can reach. */
static thaw_status note_reach(const thaw_plan *plan)
{
    thaw_parameter_set *set = &plan->program.model->parameters;
    thaw_status status = THAW_OK;
    thaw_reach_begin(set);
    for (size_t i = 0; i < plan->order_count && status == THAW_OK; i++) {
        const thaw_group *group = plan->model->nodes[plan->order[i]].group;
        for (size_t k = 0; group && k < group->parameter_count && status == THAW_OK; k++)
            status = thaw_reach_note(set, thaw_parameter_expression(group->parameters[k]));
    }
    const thaw_status finished = thaw_reach_finish(set, plan->trained, plan->trained_count);
    return status == THAW_OK ? finished : status;
}

thaw_status thaw_plan_list_updates(const thaw_plan *plan, thaw_update_list **updates)
{
    const thaw_parameter_set *set = &plan->model->parameters;
    const thaw_status status = note_reach(plan);
    if (status != THAW_OK)
        return status;
    for (size_t i = 0; i < set->parameter_count; i++) {
        thaw_parameter *parameter = set->parameters[i];
        if (thaw_plan_trains(plan, parameter))
            continue;
        thaw_release(set->context, parameter->gradient);
        parameter->gradient = NULL;
    }
    return thaw_update_list_create(set->context, plan->trained, plan->trained_count, updates);
}
