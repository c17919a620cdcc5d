#include "plan/plan.h"

static thaw_region region_of(const thaw_graph_node *node, const thaw_plan_node *planned)
{
    if (!planned->live)
        return THAW_REGION_PREFIX;
    if (planned->trains || planned->follows)
        return THAW_REGION_LIVE;
    return node->group ? THAW_REGION_FROZEN : THAW_REGION_LIVE;
}

/* Whether it depends on no sample and no target. */
static bool is_constant(const thaw_plan *plan, size_t index)
{
    const thaw_graph_node *node = &plan->model->nodes[index];
    bool constant = node->module && !node->module->loss && plan->nodes[index].region == THAW_REGION_PREFIX;
    for (size_t k = 0; k < node->input_count; k++)
        constant = constant && plan->nodes[node->inputs[k]].constant;
    return constant;
}

/* Appends the used nodes of a kind, in the model's order. */
static void append_to_order(thaw_plan *plan, bool prefix, bool constant)
{
    for (size_t i = 0; i < plan->node_count; i++) {
        const thaw_plan_node *planned = &plan->nodes[i];
        if (!planned->used || (planned->region == THAW_REGION_PREFIX) != prefix || planned->constant != constant)
            continue;
        plan->position[i] = plan->order_count;
        plan->order[plan->order_count++] = (thaw_node)i;
    }
}

static void mark_close(thaw_plan *plan)
{
    for (size_t i = plan->order_count; i-- > 0;) {
        const thaw_graph_node *node = &plan->model->nodes[plan->order[i]];
        const thaw_plan_node *planned = &plan->nodes[plan->order[i]];
        if (planned->region == THAW_REGION_PREFIX && (!planned->close || node->group))
            continue;
        for (size_t k = 0; k < node->input_count; k++)
            plan->nodes[node->inputs[k]].close = plan->nodes[node->inputs[k]].region == THAW_REGION_PREFIX;
    }
}

static void mark_boundaries(thaw_plan *plan)
{
    for (size_t i = plan->prefix_count; i < plan->order_count; i++) {
        const thaw_graph_node *node = &plan->model->nodes[plan->order[i]];
        for (size_t k = 0; k < node->input_count; k++) {
            thaw_plan_node *input = &plan->nodes[node->inputs[k]];
            input->boundary = input->region == THAW_REGION_PREFIX && !input->constant;
        }
    }
}

thaw_status thaw_pass_regions(thaw_plan *plan)
{
    thaw_context *context = plan->model->context;
    plan->order = thaw_allocate_array(context, plan->node_count, sizeof *plan->order);
    plan->position = thaw_allocate_array(context, plan->node_count, sizeof *plan->position);
    if (!plan->order || !plan->position)
        return THAW_OUT_OF_MEMORY;
    for (size_t i = 0; i < plan->node_count; i++) {
        plan->nodes[i].region = region_of(&plan->model->nodes[i], &plan->nodes[i]);
        plan->nodes[i].constant = is_constant(plan, i);
    }
    append_to_order(plan, true, true);
    plan->constant_count = plan->order_count;
    append_to_order(plan, true, false);
    plan->prefix_count = plan->cut_count = plan->order_count;
    append_to_order(plan, false, false);
    mark_boundaries(plan);
    mark_close(plan);
    return THAW_OK;
}
