#include <string.h>

#include "params/expression.h"
#include "plan/plan.h"

/* Marks everything that the target depends on; and lengths, as batches do. */
static void mark_used(thaw_plan *plan)
{
    plan->nodes[plan->target].used = true;
    if (plan->cuts && plan->model->lengths)
        plan->nodes[plan->model->lengths->node].used = plan->nodes[0].used = true;
    for (size_t i = (size_t)plan->target + 1; i-- > 0;) {
        if (!plan->nodes[i].used)
            continue;
        const thaw_graph_node *node = &plan->model->nodes[i];
        for (size_t k = 0; k < node->input_count; k++)
            plan->nodes[node->inputs[k]].used = true;
    }
}

/* Marks what would train and carry if nothing were frozen. */
static void mark_potential(thaw_plan *plan)
{
    for (size_t i = 0; i < plan->node_count; i++) {
        const thaw_graph_node *node = &plan->model->nodes[i];
        thaw_plan_node *planned = &plan->nodes[i];
        for (size_t k = 0; node->group && k < node->group->parameter_count; k++)
            planned->could_train = planned->could_train || node->group->parameters[k]->role != THAW_STATISTIC;
        planned->could_carry = planned->could_train;
        for (size_t k = 0; k < node->input_count; k++)
            planned->could_carry = planned->could_carry || plan->nodes[node->inputs[k]].could_carry;
    }
}

/* Marks the node's trainable parameters, and returns whether there are any. */
static bool mark_parameters(const thaw_plan *plan, const thaw_graph_node *node, thaw_plan_node *planned)
{
    bool any = false;
    for (size_t k = 0; node->group && k < node->group->parameter_count; k++) {
        planned->parameter_gradient[k] =
            thaw_plan_trainability(plan, thaw_parameter_expression(node->group->parameters[k])) != THAW_FROZEN;
        any = any || planned->parameter_gradient[k];
    }
    return any;
}

/* Notes which tensors the plan supposes to be frozen. */
static void suppose(thaw_plan *plan)
{
    for (size_t i = 0; plan->frozen && i < plan->model->parameters.number_count; i++)
        if (plan->frozen[i])
            plan->trainability[i] = 1 + THAW_FROZEN;
}

bool thaw_plan_supposes(const thaw_plan *plan, const thaw_parameter *parameter)
{
    return plan->frozen && plan->frozen[parameter->stored->number];
}

/* Whether a layer that has nothing but statistics is enabled. */
static bool is_enabled(const thaw_plan *plan, const thaw_group *group)
{
    return group->trainable && !thaw_plan_supposes(plan, group->parameters[0]);
}

/* Whether the node's statistics change in this plan. */
static bool follows(const thaw_plan *plan, const thaw_graph_node *node, const thaw_plan_node *planned)
{
    if (node->tracking != THAW_TRACKS_TRAINED)
        return node->tracking == THAW_TRACKS_ALWAYS;
    return planned->trains || (!planned->could_train && is_enabled(plan, node->group));
}

static void mark_training(const thaw_plan *plan, const thaw_graph_node *node, thaw_plan_node *planned)
{
    planned->trains = mark_parameters(plan, node, planned);
    planned->follows = follows(plan, node, planned);
    planned->carries = planned->trains || planned->follows;
    planned->live = node->draws_when_frozen;
    for (size_t k = 0; k < node->input_count; k++) {
        planned->input_gradient[k] = plan->nodes[node->inputs[k]].carries;
        planned->carries = planned->carries || planned->input_gradient[k];
        planned->live = planned->live || plan->nodes[node->inputs[k]].live;
    }
    planned->live = planned->live || planned->carries;
    planned->draws = planned->carries || node->draws_when_frozen;
    planned->above_trained = planned->carries;
}

/* A plan that tests has the prefix of training. */
static void forget_training(const thaw_plan *plan, thaw_plan_node *planned)
{
    planned->trains = planned->follows = planned->carries = planned->draws = false;
    planned->live = planned->live && plan->cuts;
    memset(planned->input_gradient, 0, sizeof planned->input_gradient);
    memset(planned->parameter_gradient, 0, sizeof planned->parameter_gradient);
}

thaw_trainability thaw_plan_trainability(const thaw_plan *plan, thaw_expression *expression)
{
    return thaw_expression_find_trainability(expression, plan->trainability);
}

thaw_status thaw_pass_trainability(thaw_plan *plan)
{
    const thaw_parameter_set *set = &plan->model->parameters;
    bool any = false;
    plan->trainability = thaw_allocate_array(set->context, set->number_count + 1, sizeof *plan->trainability);
    if (!plan->trainability)
        return THAW_OUT_OF_MEMORY;
    suppose(plan);
    mark_used(plan);
    mark_potential(plan);
    for (size_t i = 0; i < plan->node_count; i++) {
        if (plan->nodes[i].used)
            mark_training(plan, &plan->model->nodes[i], &plan->nodes[i]);
        any = any || plan->nodes[i].trains;
    }
    for (size_t i = 0; !plan->training && i < plan->node_count; i++)
        forget_training(plan, &plan->nodes[i]);
    if (any || !plan->training)
        return THAW_OK;
    return thaw_fail(plan->model->context, THAW_NOTHING_TRAINABLE,
                     "every parameter that the loss depends on is frozen: unfreeze a group to train, or evaluate");
}
