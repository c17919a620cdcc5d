#include "plan/sharing.h"

/* Whether a node's value must outlive whatever reads it: it is the caller's, the cache's, the result, stays for other
   steps or tiles, or is collected tile by tile. */
static bool is_kept(const thaw_plan *plan, thaw_node node)
{
    const thaw_plan_node *planned = &plan->nodes[node];
    const thaw_layer_module *module = plan->model->nodes[node].module;
    return !module || module->source || planned->fixed || planned->boundary || node == plan->target ||
           node == thaw_model_output(plan->model) || (planned->tiled && !planned->partial);
}

/* Whether anything still wants the value in the buffer `root` when `writer` runs, its own input 0 apart: as another
   input, the value would change while it is being read. */
static bool is_wanted(const thaw_plan *plan, thaw_node root, thaw_node writer)
{
    const size_t now = plan->position[writer];
    for (size_t i = 0; i < plan->order_count; i++) {
        const thaw_node index = plan->order[i];
        const thaw_plan_node *planned = &plan->nodes[index];
        if (i < now && planned->root == root &&
            (is_kept(plan, index) || (planned->carries && planned->needs.keeps_output)))
            return true;
        const thaw_graph_node *node = &plan->model->nodes[index];
        for (size_t k = index == writer ? 1 : 0; k < node->input_count; k++) {
            const bool reads = plan->position[node->inputs[k]] < now && plan->nodes[node->inputs[k]].root == root;
            if (reads && (i >= now || (planned->carries && planned->needs.keeps_inputs)))
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

void thaw_share_outputs(thaw_plan *plan)
{
    for (size_t i = 0; i < plan->order_count; i++) {
        const thaw_node index = plan->order[i];
        const thaw_graph_node *node = &plan->model->nodes[index];
        thaw_plan_node *planned = &plan->nodes[index];
        planned->root = index;
        if (!node->module || node->module->source)
            continue;
        const thaw_node before = plan->nodes[node->inputs[0]].root;
        if (planned->needs.identity || planned->fused_into >= 0 ||
            (planned->needs.in_place && !is_wanted(plan, before, index)))
            planned->root = before;
    }
    agree_on_tiles(plan);
}

thaw_reader thaw_first_gradient_writer(const thaw_plan *plan, thaw_node node)
{
    for (size_t i = plan->order_count; i-- > plan->prefix_count;) {
        const thaw_node index = plan->order[i];
        for (size_t k = 0; k < plan->model->nodes[index].input_count; k++)
            if (plan->model->nodes[index].inputs[k] == node)
                return (thaw_reader){ index, k };
    }
    return (thaw_reader){ -1, 0 };
}

void thaw_share_gradients(thaw_plan *plan)
{
    for (size_t i = plan->order_count; i-- > plan->prefix_count;) {
        const thaw_node index = plan->order[i];
        thaw_plan_node *planned = &plan->nodes[index];
        planned->gradient_root = index;
        const thaw_reader writer = thaw_first_gradient_writer(plan, index);
        if (writer.reader < 0 || writer.slot != 0 || writer.reader == plan->target)
            continue;
        const thaw_layer_needs *needs = &plan->nodes[writer.reader].needs;
        if (needs->identity || needs->gradient_in_place)
            planned->gradient_root = plan->nodes[writer.reader].gradient_root;
    }
}
