/* Gradients that are zero except for a few rows (thaw_gradient_rows): which plans may rely on that, and the memory
   for the lists of rows. The plans of all batch sizes share a parameter's list. They agree on it, because it only
   depends on what trains and on what is bound to what. */
#include "core/allocation.h"
#include "plan/plan.h"

/* Whether only this layer writes the gradient of a stored tensor, and nothing is added to it. */
static bool writes_alone(const thaw_plan *plan, const thaw_plan_use *use)
{
    if (!use->gradient || use->order_count > 0 || use->buffer >= 0)
        return false;
    for (size_t i = 0; i < plan->term_count; i++)
        if (plan->terms[i].parameter == use->expression->parameter)
            return false;
    return true;
}

static thaw_status reserve_rows(thaw_plan *plan, thaw_node index, size_t k)
{
    thaw_plan_node *planned = &plan->nodes[index];
    const size_t count = planned->wanted_rows[k];
    if (count == 0 || !writes_alone(plan, &planned->uses[k]))
        return THAW_OK;
    thaw_parameter *parameter = planned->uses[k].expression->parameter;
    uint32_t *rows = thaw_grow(plan->model->context, parameter->gradient_rows.rows, &parameter->gradient_row_capacity,
                               count, sizeof *rows);
    if (!rows)
        return THAW_OUT_OF_MEMORY;
    parameter->gradient_rows.rows = rows;
    planned->bound.gradient_rows[k] = &parameter->gradient_rows;
    return THAW_OK;
}

thaw_status thaw_plan_reserve_rows(thaw_plan *plan)
{
    thaw_status status = THAW_OK;
    for (size_t i = 0; i < plan->order_count; i++) {
        const thaw_group *group = plan->model->nodes[plan->order[i]].group;
        for (size_t k = 0; group && k < group->parameter_count && status == THAW_OK; k++)
            status = reserve_rows(plan, plan->order[i], k);
    }
    for (size_t i = 0; i < plan->trained_count; i++)
        plan->trained[i]->gradient_rows.known = false;
    return status;
}
