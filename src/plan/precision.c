#include "plan/plan.h"

/* Whether the model asks for bfloat16 in the node's region. Evaluation uses the prefix that training would have. */
static bool is_wanted(const thaw_plan *plan, thaw_node node)
{
    const thaw_precision *precision = &plan->model->precision;
    return precision->all == THAW_BF16 || (precision->frozen == THAW_BF16 && !plan->nodes[node].above_trained);
}

static uint32_t float_inputs_of(const thaw_graph_node *node)
{
    const thaw_layer_capabilities *offered = node->capabilities;
    return offered->keeps_floats ? offered->keeps_floats(node->options, node->input_count) : 0;
}

static bool follows_bfloat16(const thaw_plan *plan, const thaw_graph_node *node)
{
    const uint32_t floats = float_inputs_of(node);
    for (size_t k = 0; k < node->input_count; k++)
        if (!(floats >> k & 1) && plan->nodes[node->inputs[k]].precision != THAW_BF16)
            return false;
    return node->input_count > 0;
}

static bool can_take_it(const thaw_plan *plan, const thaw_graph_node *node)
{
    thaw_shape inputs[THAW_MAX_INPUTS];
    if (!node->capabilities->takes_bfloat16)
        return true;
    for (size_t k = 0; k < node->input_count; k++)
        inputs[k] = plan->model->nodes[node->inputs[k]].output;
    return node->capabilities->takes_bfloat16(node->options, inputs, node->input_count);
}

/* Whether the module benefits from it at this place. */
static bool has_use_for_it(const thaw_plan *plan, thaw_node index)
{
    const thaw_graph_node *node = &plan->model->nodes[index];
    switch (node->capabilities->bfloat16) {
    case THAW_BFLOAT16_CHOSEN:
        return true;
    case THAW_BFLOAT16_FOLLOWS:
        return follows_bfloat16(plan, node);
    case THAW_BFLOAT16_FROZEN:
        return !plan->nodes[index].above_trained;
    default:
        return false;
    }
}

thaw_status thaw_pass_precision(thaw_plan *plan)
{
    for (size_t i = 0; i < plan->node_count; i++) {
        const thaw_graph_node *node = &plan->model->nodes[i];
        thaw_plan_node *planned = &plan->nodes[i];
        planned->precision = THAW_F32;
        const bool scaled = plan->syncs && node->module && node->module->loss; /* see thaw_do_scale */
        if (node->module && !scaled && is_wanted(plan, (thaw_node)i) && planned->low_rank.rank == 0 &&
            has_use_for_it(plan, (thaw_node)i) && can_take_it(plan, node))
            planned->precision = THAW_BF16;
        planned->float_inputs = planned->precision == THAW_BF16 ? float_inputs_of(node) : 0;
    }
    return THAW_OK;
}
