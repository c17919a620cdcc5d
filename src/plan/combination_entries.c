/* The entries of a plan for parameters that are bound to expressions. */
#include "plan/plan.h"

/* Finds bound parameter `index` by a search, as calls are rare. NULL: there are fewer. */
static const thaw_plan_use *find_bound(const thaw_plan *plan, size_t index, const thaw_plan_node **planned,
                                       const thaw_parameter **parameter)
{
    for (size_t i = 0; i < plan->node_count; i++) {
        const thaw_group *group = plan->model->nodes[i].group;
        *planned = &plan->nodes[i];
        for (size_t k = 0; (*planned)->used && group && k < group->parameter_count; k++) {
            *parameter = group->parameters[k];
            if ((*parameter)->bound && index-- == 0)
                return &(*planned)->uses[k];
        }
    }
    return NULL;
}

size_t thaw_plan_combination_count(const thaw_plan *plan)
{
    const thaw_plan_node *planned;
    const thaw_parameter *parameter;
    size_t count = 0;
    while (find_bound(plan, count, &planned, &parameter))
        count++;
    return count;
}

static const char *describe_computation(const thaw_plan *plan, const thaw_plan_node *planned, const thaw_plan_use *use,
                                        thaw_trainability trainability)
{
    const bool low_rank = planned->low_rank.rank && use == &planned->uses[planned->low_rank.parameter];
    if (low_rank && planned->low_rank.beside)
        return "beside the layer: y += s B (A x), and no gradient of the weight";
    if (low_rank)
        return "each step; beside the layer: gradients of A and B from A x and B^T dy, and none of the weight";
    if (use->order_count == 0)
        return "as it is stored";
    if (trainability == THAW_FROZEN)
        return "once";
    return plan->training ? "each step" : "when it changes";
}

thaw_status thaw_plan_combination_at(const thaw_plan *plan, size_t index, thaw_plan_combination *combination)
{
    const thaw_plan_node *planned;
    const thaw_parameter *parameter;
    const thaw_plan_use *use = find_bound(plan, index, &planned, &parameter);
    if (!use)
        return thaw_fail(plan->model->context, THAW_INVALID_ARGUMENT, "combination is %zu, the plan has %zu", index,
                         thaw_plan_combination_count(plan));
    const thaw_trainability trainability = thaw_plan_trainability(plan, thaw_parameter_expression(parameter));
    *combination = (thaw_plan_combination){
        .parameter = parameter,
        .expression = parameter->bound,
        .trainability = trainability,
        .computed = describe_computation(plan, planned, use, trainability),
    };
    for (size_t i = 0; i < use->order_count; i++)
        combination->value_bytes +=
            thaw_expression_has_memory(use->order[i]) ? use->order[i]->count * sizeof(float) : 0;
    return THAW_OK;
}
