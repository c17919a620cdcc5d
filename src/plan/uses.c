/* What layers use for their parameters: stored tensors, values of expressions, factors of low-rank changes. */
#include <string.h>

#include "core/allocation.h"
#include "params/low_rank.h"
#include "plan/plan.h"

/* A walk over the operands of uses, with room for all expressions of the model. */
typedef struct listing {
    thaw_plan *plan;
    thaw_expression **items; /* operations of the use, operands first */
    size_t count;
    thaw_note *seen;    /* by the use */
    thaw_note *counted; /* by any use */
} listing;

static thaw_status begin_listing(thaw_plan *plan, listing *l)
{
    const thaw_parameter_set *set = &plan->model->parameters;
    const size_t count = set->number_count + 1;
    *l = (listing){ .plan = plan,
                    .items = thaw_allocate_array(set->context, count, sizeof(thaw_expression *)),
                    .seen = thaw_allocate_array(set->context, count, sizeof *l->seen),
                    .counted = thaw_allocate_array(set->context, count, sizeof *l->counted) };
    return l->items && l->seen && l->counted ? THAW_OK : THAW_OUT_OF_MEMORY;
}

static void end_listing(const listing *l)
{
    thaw_context *context = l->plan->model->context;
    thaw_release(context, l->counted);
    thaw_release(context, l->seen);
    thaw_release(context, l->items);
}

static void list_operation(void *argument, thaw_expression *expression)
{
    listing *l = argument;
    if (!expression->operation)
        return;
    l->items[l->count++] = expression;
    if (!l->counted[expression->number] && thaw_expression_has_memory(expression))
        l->plan->value_bytes += expression->count * sizeof(float);
    l->counted[expression->number] = 1;
}

static thaw_status measure_scratch(thaw_plan_use *use)
{
    thaw_status status = THAW_OK;
    for (size_t i = 0; i < use->order_count && status == THAW_OK; i++) {
        size_t bytes;
        status = thaw_expression_measure_scratch(use->order[i], &bytes);
        use->scratch_bytes = bytes > use->scratch_bytes ? bytes : use->scratch_bytes;
    }
    return status;
}

static thaw_status fill_use(listing *l, thaw_plan_use *use, thaw_expression *expression, bool gradient)
{
    const thaw_parameter_set *set = &l->plan->model->parameters;
    *use = (thaw_plan_use){ .expression = thaw_expression_target(expression), .gradient = gradient, .buffer = -1 };
    if (!use->expression->operation)
        return THAW_OK;
    l->count = 0;
    memset(l->seen, 0, set->number_count * sizeof *l->seen);
    thaw_expression_visit(use->expression, l->seen, list_operation, l);
    use->order = thaw_allocate_array(set->context, l->count, sizeof(thaw_expression *));
    if (!use->order)
        return THAW_OUT_OF_MEMORY;
    memcpy(use->order, l->items, l->count * sizeof(thaw_expression *));
    use->order_count = l->count;
    return measure_scratch(use);
}

/* Fills the factors of a low-rank change that the layer computes beside its weight. */
static thaw_status fill_low_rank(listing *l, thaw_node index, thaw_expression *sum)
{
    thaw_plan *plan = l->plan;
    thaw_plan_node *planned = &plan->nodes[index];
    const thaw_low_rank_demand *demand = &planned->low_rank;
    thaw_plan_use *factors = &planned->uses[planned->use_count];
    thaw_status status = fill_use(l, &factors[0], thaw_operand(sum, THAW_LOW_RANK_UP), demand->up_gradient);
    planned->use_count++;
    plan->use_count++;
    if (status != THAW_OK)
        return status;
    status = fill_use(l, &factors[1], thaw_operand(sum, THAW_LOW_RANK_DOWN), demand->down_gradient);
    planned->use_count++;
    plan->use_count++;
    planned->parameter_gradient[demand->parameter] = false;
    planned->combination_flops = thaw_plan_low_rank_change_flops(plan, index, sum);
    return status;
}

static thaw_status fill_node(listing *l, thaw_node index)
{
    thaw_plan *plan = l->plan;
    const thaw_group *group = plan->model->nodes[index].group;
    thaw_plan_node *planned = &plan->nodes[index];
    planned->uses = &plan->uses[plan->use_count];
    if (!group)
        return THAW_OK;
    const bool low_rank = thaw_plan_choose_low_rank(plan, index, &planned->low_rank);
    for (size_t k = 0; k < group->parameter_count; k++) {
        thaw_expression *expression = thaw_parameter_expression(group->parameters[k]);
        bool gradient = planned->parameter_gradient[k];
        if (low_rank && k == planned->low_rank.parameter) {
            gradient = false;
            if (planned->low_rank.beside)
                expression = thaw_operand(expression, THAW_LOW_RANK_BASE);
        }
        const thaw_status status = fill_use(l, &planned->uses[k], expression, gradient);
        planned->use_count++;
        plan->use_count++;
        if (status != THAW_OK)
            return status;
    }
    if (!low_rank)
        return THAW_OK;
    return fill_low_rank(l, index, thaw_parameter_expression(group->parameters[planned->low_rank.parameter]));
}

static size_t count_most_uses(const thaw_plan *plan)
{
    size_t count = 0;
    for (size_t i = 0; i < plan->order_count; i++) {
        const thaw_group *group = plan->model->nodes[plan->order[i]].group;
        count += group ? group->parameter_count + 2 : 0;
    }
    return count;
}

thaw_status thaw_plan_list_uses(thaw_plan *plan)
{
    plan->uses = thaw_allocate_array(plan->model->context, count_most_uses(plan) + 1, sizeof *plan->uses);
    if (!plan->uses)
        return THAW_OUT_OF_MEMORY;
    listing l;
    thaw_status status = begin_listing(plan, &l);
    for (size_t i = 0; i < plan->order_count && status == THAW_OK; i++)
        status = fill_node(&l, plan->order[i]);
    end_listing(&l);
    return status;
}
