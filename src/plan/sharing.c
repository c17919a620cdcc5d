#include "plan/sharing.h"

/* Whether a node's value must survive its readers: it belongs to the caller or the feature cache, is the result, is
   used by other steps or tiles, or is collected tile by tile. */
static bool is_kept(const thaw_plan *plan, thaw_node node)
{
    const thaw_plan_node *planned = &plan->nodes[node];
    const thaw_layer_module *module = plan->model->nodes[node].module;
    return !module || module->source || planned->constant || planned->boundary || node == plan->target ||
           node == thaw_model_output(plan->model) || (planned->tiled && !planned->partial);
}

/* Whether anything still needs the value in the buffer `root` when `writer` runs, other than its input `slot`. If
   another of its inputs has the value, it would change while it is being read. */
static bool is_wanted(const thaw_plan *plan, thaw_node root, thaw_node writer, size_t slot)
{
    const size_t now = plan->position[writer];
    for (size_t i = 0; i < plan->order_count; i++) {
        const thaw_node index = plan->order[i];
        const thaw_plan_node *planned = &plan->nodes[index];
        if (i < now && planned->root == root &&
            (is_kept(plan, index) || (planned->carries && planned->needs.keeps_output)))
            return true;
        for (size_t k = 0; k < planned->source_count; k++) {
            const thaw_node source = planned->sources[k];
            const bool reads = plan->position[source] < now && plan->nodes[source].root == root;
            if (reads && !(index == writer && k == slot) &&
                (i >= now || (planned->carries && planned->needs.keeps_inputs)))
                return true;
        }
    }
    return false;
}

/* A buffer holds the whole batch if it must for any of the nodes that share it. */
static void agree_on_tiles(thaw_plan *plan)
{
    for (size_t i = 0; i < plan->tiled_count; i++) {
        const thaw_plan_node *planned = &plan->nodes[plan->order[i]];
        if (!planned->partial)
            plan->nodes[planned->root].partial = false;
    }
    for (size_t i = 0; i < plan->tiled_count; i++) {
        thaw_plan_node *planned = &plan->nodes[plan->order[i]];
        planned->partial = plan->nodes[planned->root].partial;
    }
}

bool thaw_residual_is_last_read(const thaw_plan *plan, thaw_node index)
{
    const thaw_plan_node *planned = &plan->nodes[index];
    const size_t slot = planned->source_count - 1;
    const thaw_plan_node *source = &plan->nodes[planned->sources[slot]];
    return plan->nodes[source->origin].precision == planned->precision && !is_wanted(plan, source->root, index, slot);
}

void thaw_share_output(thaw_plan *plan, thaw_node index)
{
    const thaw_layer_module *module = plan->model->nodes[index].module;
    thaw_plan_node *planned = &plan->nodes[index];
    planned->root = planned->origin = index;
    if (!module || module->source)
        return;
    if (planned->fused_into >= 0) {
        planned->origin = plan->nodes[planned->fused_into].origin;
        planned->root = plan->nodes[planned->fused_into].root;
        return;
    }
    const thaw_plan_node *source = &plan->nodes[planned->sources[0]];
    if (planned->needs.identity) {
        planned->origin = source->origin;
        planned->precision = plan->nodes[source->origin].precision;
        planned->root = source->root;
    } else if (planned->epilogue.residual == THAW_RESIDUAL_IN_PLACE) {
        planned->root = plan->nodes[planned->sources[planned->source_count - 1]].root;
    } else if (planned->needs.in_place && planned->precision == plan->nodes[source->origin].precision &&
               !is_wanted(plan, source->root, index, 0)) {
        planned->root = source->root;
    }
}

static void share_outputs(thaw_plan *plan)
{
    for (size_t i = 0; i < plan->order_count; i++)
        thaw_share_output(plan, plan->order[i]);
    agree_on_tiles(plan);
}

/* Whether a kernel of order[first ..) reads an origin's value in one precision. */
static bool is_read(const thaw_plan *plan, thaw_node origin, thaw_dtype precision, size_t first)
{
    for (size_t i = first; i < plan->order_count; i++) {
        const thaw_plan_node *planned = &plan->nodes[plan->order[i]];
        for (size_t k = 0; k < planned->source_count && !planned->needs.identity; k++)
            if (plan->nodes[planned->sources[k]].origin == origin && thaw_input_precision(planned, k) == precision)
                return true;
    }
    return false;
}

/* Whether the value leaves the plan: as its result, or to the feature cache. */
static bool leaves(const thaw_plan *plan, thaw_node origin)
{
    for (size_t i = 0; i < plan->order_count; i++) {
        const thaw_node index = plan->order[i];
        if (plan->nodes[index].origin == origin &&
            (plan->nodes[index].boundary || index == plan->target || index == thaw_model_output(plan->model)))
            return true;
    }
    return false;
}

bool thaw_plan_is_copied(const thaw_plan *plan, thaw_node origin)
{
    if (plan->nodes[origin].origin != origin)
        return false;
    if (plan->nodes[origin].precision == THAW_F32)
        return is_read(plan, origin, THAW_BF16, 0);
    return is_read(plan, origin, THAW_F32, 0) || leaves(plan, origin);
}

bool thaw_plan_converts_fed(const thaw_plan *plan, thaw_node origin)
{
    const bool input = !plan->model->nodes[origin].module;
    return is_read(plan, origin, THAW_BF16, input ? 0 : plan->cut_count);
}

/* Kernels run backward from the end of the order. */
static void find_first_writers(thaw_plan *plan)
{
    for (size_t i = 0; i < plan->node_count; i++)
        plan->nodes[i].first_writer.reader = -1;
    for (size_t i = plan->order_count; i-- > plan->prefix_count;) {
        const thaw_plan_node *planned = &plan->nodes[plan->order[i]];
        for (size_t k = 0; k < planned->source_count; k++) {
            thaw_reader *writer = &plan->nodes[planned->sources[k]].first_writer;
            if (writer->reader < 0)
                *writer = (thaw_reader){ plan->order[i], k };
        }
    }
}

static void share_gradients(thaw_plan *plan)
{
    for (size_t i = plan->order_count; i-- > plan->prefix_count;) {
        const thaw_node index = plan->order[i];
        thaw_plan_node *planned = &plan->nodes[index];
        planned->gradient_root = index;
        const thaw_reader writer = planned->first_writer;
        if (writer.reader < 0 || writer.slot != 0 || writer.reader == plan->target || !planned->carries)
            continue;
        const thaw_layer_needs *needs = &plan->nodes[writer.reader].needs;
        if (needs->identity || (needs->gradient_in_place && plan->nodes[writer.reader].precision == planned->precision))
            planned->gradient_root = plan->nodes[writer.reader].gradient_root;
    }
}

thaw_status thaw_pass_sharing(thaw_plan *plan)
{
    share_outputs(plan);
    find_first_writers(plan);
    share_gradients(plan);
    return THAW_OK;
}
