/* A chain of nodes, each the only reader of the one before, may be one kernel's work: for example a convolution,
   with the normalisation after it folded into its weights, and then a residual sum and an activation, applied to
   each value before it is stored. The first node of the chain, its owner, decides what its kernel takes on. */
#include "plan/plan.h"

/* The node whose kernel writes the value that a node's readers use. */
static thaw_node writer_of(const thaw_plan *plan, thaw_node node)
{
    return plan->nodes[node].absorbed ? plan->nodes[node].fused_into : node;
}

/* The only reader of a node, if it runs whenever the node runs; -1: it has no reader, or several. */
static thaw_node only_reader(const thaw_plan *plan, thaw_node of)
{
    const thaw_plan_node *planned = &plan->nodes[of];
    thaw_node reader = -1;
    for (size_t i = plan->position[of] + 1; i < plan->order_count; i++) {
        const thaw_graph_node *node = &plan->model->nodes[plan->order[i]];
        for (size_t k = 0; k < node->input_count; k++) {
            if (node->inputs[k] != of)
                continue;
            if (reader >= 0)
                return -1;
            reader = plan->order[i];
        }
    }
    if (reader < 0 || planned->boundary || plan->nodes[reader].constant != planned->constant ||
        plan->nodes[reader].carries != planned->carries || plan->nodes[reader].tiled != planned->tiled ||
        plan->nodes[reader].precision != planned->precision)
        return -1;
    return reader;
}

/* Asks the owner's module whether it accepts an epilogue. If not, the old one stays. */
static bool offer(thaw_plan *plan, thaw_node owner, thaw_epilogue epilogue)
{
    thaw_plan_node *planned = &plan->nodes[owner];
    const thaw_epilogue before = planned->epilogue;
    thaw_plan_demand filled;
    planned->epilogue = epilogue;
    thaw_plan_fill_demand(plan, owner, &filled);
    const bool taken = plan->model->nodes[owner].capabilities->takes_epilogue(&filled.demand);
    if (!taken)
        planned->epilogue = before;
    return taken;
}

static void absorb(thaw_plan *plan, thaw_node owner, thaw_node node)
{
    plan->nodes[node].fused_into = owner;
    plan->nodes[node].absorbed = true;
    plan->nodes[node].source_count = 0;
}

/* Each of these tries to add the node after `end` to the chain, and returns the new end. */

static thaw_node take_channel_map(thaw_plan *plan, thaw_node owner, thaw_node end)
{
    const thaw_node next = only_reader(plan, end);
    if (next < 0 || !plan->model->nodes[next].capabilities->maps_channels || plan->nodes[next].trains ||
        plan->nodes[next].follows)
        return end;
    thaw_epilogue epilogue = plan->nodes[owner].epilogue;
    epilogue.maps_channels = true;
    if (!offer(plan, owner, epilogue))
        return end;
    plan->nodes[owner].channel_map = next;
    absorb(plan, owner, next);
    return next;
}

/* The other input of a sum, if it is computed before the owner runs; else -1. */
static thaw_node residual_of(const thaw_plan *plan, thaw_node owner, thaw_node end, thaw_node sum)
{
    const thaw_graph_node *node = &plan->model->nodes[sum];
    const thaw_node other = node->inputs[node->inputs[0] == end ? 1 : 0];
    const bool there = plan->position[writer_of(plan, other)] < plan->position[owner];
    const thaw_shape *shape = thaw_plan_shape(plan, sum);
    return there && thaw_shape_equal(thaw_plan_shape(plan, other), shape) &&
                   thaw_shape_equal(thaw_plan_shape(plan, owner), shape)
               ? other
               : -1;
}

static thaw_node take_sum(thaw_plan *plan, thaw_node owner, thaw_node end)
{
    const thaw_node next = only_reader(plan, end);
    if (next < 0 || !plan->model->nodes[next].capabilities->adds || plan->nodes[owner].source_count == THAW_MAX_INPUTS)
        return end;
    const thaw_node other = residual_of(plan, owner, end, next);
    if (other < 0)
        return end;
    thaw_plan_node *planned = &plan->nodes[owner];
    thaw_epilogue epilogue = planned->epilogue;
    epilogue.residual = THAW_RESIDUAL_BESIDE;
    planned->input_gradient[planned->source_count] = plan->nodes[next].carries && plan->nodes[other].carries;
    if (!offer(plan, owner, epilogue)) {
        planned->input_gradient[planned->source_count] = false;
        return end;
    }
    planned->sources[planned->source_count++] = other;
    absorb(plan, owner, next);
    return next;
}

/* An activation runs its own backward kernel, unless the owner's does that work. */
static void take_activation(thaw_plan *plan, thaw_node owner, thaw_node end)
{
    const thaw_node next = only_reader(plan, end);
    const thaw_activation activation =
        next < 0 ? THAW_ACTIVATION_NONE : plan->model->nodes[next].capabilities->activation;
    const bool together =
        !plan->nodes[owner].carries || plan->model->nodes[owner].capabilities->differentiates_activation;
    if (activation == THAW_ACTIVATION_NONE || (!together && activation > THAW_ACTIVATION_TANH))
        return;
    thaw_epilogue epilogue = plan->nodes[owner].epilogue;
    epilogue.activation = activation;
    if (!offer(plan, owner, epilogue))
        return;
    if (together)
        absorb(plan, owner, next);
    else
        plan->nodes[next].fused_into = owner;
}

static void take_chain(thaw_plan *plan, thaw_node owner)
{
    const thaw_layer_module *module = plan->model->nodes[owner].module;
    if (!module || !plan->model->nodes[owner].capabilities->takes_epilogue || plan->nodes[owner].fused_into >= 0)
        return;
    thaw_node end = take_channel_map(plan, owner, owner);
    end = take_sum(plan, owner, end);
    take_activation(plan, owner, end);
}

thaw_status thaw_pass_fusion(thaw_plan *plan)
{
    for (size_t i = 0; i < plan->node_count; i++) {
        const thaw_graph_node *node = &plan->model->nodes[i];
        thaw_plan_node *planned = &plan->nodes[i];
        planned->fused_into = planned->channel_map = -1;
        planned->source_count = node->input_count;
        for (size_t k = 0; k < node->input_count; k++)
            planned->sources[k] = node->inputs[k];
    }
    for (size_t i = 0; i < plan->order_count && !plan->unfused; i++)
        take_chain(plan, plan->order[i]);
    for (size_t i = 0; i < plan->order_count; i++) {
        thaw_plan_node *planned = &plan->nodes[plan->order[i]];
        for (size_t k = 0; k < planned->source_count; k++)
            planned->sources[k] = writer_of(plan, planned->sources[k]);
    }
    return THAW_OK;
}
