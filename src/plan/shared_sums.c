/* Layers that compute with the sums of all shards of a step. Before such a layer runs, its sums over this shard are
   measured, and shared with the other shards of this rank and of others: an exchange in the middle of forward or
   backward. */
#include "plan/plan.h"
#include "plan/store.h"

bool thaw_plan_shares_sums(const thaw_plan *plan, thaw_node node)
{
    const thaw_layer_capabilities *offered = plan->model->nodes[node].capabilities;
    return plan->syncs && plan->nodes[node].follows && offered->measure && offered->measure_gradients;
}

bool thaw_plan_shares_gradients(const thaw_plan *plan)
{
    for (size_t i = plan->prefix_count; i < plan->order_count; i++)
        if (plan->nodes[plan->order[i]].backward_sums)
            return true;
    return false;
}

/* This shard's own, and those of all. */
size_t thaw_plan_sums_bytes(const thaw_plan *plan, thaw_node node)
{
    const thaw_plan_node *planned = &plan->nodes[node];
    const size_t forward = planned->forward_sums, backward = planned->backward_sums;
    return (1 + plan->shards) * (forward > backward ? forward : backward) * sizeof(double);
}

size_t thaw_plan_synced_bytes(const thaw_plan *plan)
{
    size_t numbers = 0;
    for (size_t i = plan->prefix_count; i < plan->order_count; i++)
        numbers += plan->nodes[plan->order[i]].forward_sums + plan->nodes[plan->order[i]].backward_sums;
    return numbers * sizeof(double);
}

void thaw_model_set_sync_batch_norm(thaw_model *model, bool sync)
{
    if (model->syncs == sync)
        return;
    model->syncs = sync;
    model->parameters.revision++;
}
