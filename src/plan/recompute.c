/* Recomputation, if the model asks for it. A value that only backward still needs is dropped after forward. Backward
   computes it again, with the same kernels from the same numbers, before its first reader there. This pays for cheap
   layers whose input backward keeps anyway: a normalisation between two convolutions, and an activation that runs in
   its place. */
#include "plan/sharing.h"

static bool reads(const thaw_plan_node *reader, const thaw_plan *plan, thaw_node root)
{
    for (size_t k = 0; k < reader->source_count; k++)
        if (plan->nodes[reader->sources[k]].root == root)
            return true;
    return false;
}

/* Whether the node's part of the computation can be repeated. */
static bool is_repeatable(const thaw_plan *plan, thaw_node index)
{
    const thaw_plan_node *planned = &plan->nodes[index];
    const thaw_layer_module *module = plan->model->nodes[index].module;
    if (planned->needs.identity || planned->absorbed) /* its part is its owner's */
        return true;
    return planned->carries && module->recompute && planned->fused_into < 0 && !planned->epilogue.residual &&
           !thaw_plan_is_copied(plan, index);
}

/* Whether everything that computes the value in the buffer `root` can be repeated, and only backward reads it later. */
static bool is_repeatable_value(const thaw_plan *plan, thaw_node root)
{
    for (size_t i = plan->prefix_count; i < plan->order_count; i++) {
        const thaw_node index = plan->order[i];
        if (plan->nodes[index].root != root)
            continue;
        if (index == plan->target || index == thaw_model_output(plan->model) || !is_repeatable(plan, index))
            return false;
    }
    return true;
}

static bool is_kept_for_backward(const thaw_plan *plan, thaw_node root)
{
    for (size_t i = plan->prefix_count; i < plan->order_count; i++) {
        const thaw_plan_node *planned = &plan->nodes[plan->order[i]];
        if (planned->carries && ((planned->needs.keeps_output && planned->root == root) ||
                                 (planned->needs.keeps_inputs && reads(planned, plan, root))))
            return true;
    }
    return false;
}

thaw_status thaw_pass_recompute(thaw_plan *plan)
{
    for (size_t i = plan->prefix_count; i < plan->order_count && plan->model->recomputes; i++) {
        const thaw_node index = plan->order[i];
        thaw_plan_node *planned = &plan->nodes[index];
        if (planned->root != index || planned->source_count != 1 || !planned->needs.keeps_inputs ||
            planned->needs.identity || plan->nodes[plan->nodes[planned->sources[0]].root].recomputed)
            continue;
        planned->recomputed = is_repeatable_value(plan, index) && is_kept_for_backward(plan, index);
    }
    return THAW_OK;
}

void thaw_model_set_recompute(thaw_model *model, bool recompute)
{
    if (model->recomputes == recompute)
        return;
    model->recomputes = recompute;
    model->parameters.revision++;
}
