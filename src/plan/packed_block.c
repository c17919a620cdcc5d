#include "plan/packed_block.h"

#include <string.h>

#include "core/allocation.h"
#include "plan/plan.h"

static bool has_same_uses(const thaw_plan_node *planned, const thaw_plan_node *other)
{
    bool same = planned->use_count == other->use_count;
    for (size_t k = 0; same && k < planned->use_count; k++)
        same = planned->uses[k].expression == other->uses[k].expression;
    return same;
}

/* Then packing writes the same for both, and either may keep values that have left memory. */
static bool packs_alike(const thaw_layer_capabilities *offered, const thaw_plan_node *planned,
                        const thaw_plan_node *other)
{
    return offered && offered->packs_alike && planned->packs_once && other->packs_once &&
           planned->needs.packed_bytes == other->needs.packed_bytes && planned->channel_map == other->channel_map &&
           memcmp(planned->leaves, other->leaves, sizeof planned->leaves) == 0 && has_same_uses(planned, other) &&
           offered->packs_alike(planned->needs.state, other->needs.state);
}

void thaw_plan_share_packed(thaw_plan *plan, const thaw_plan *other)
{
    for (size_t i = 0; i < plan->order_count; i++) {
        const thaw_node index = plan->order[i];
        thaw_plan_node *planned = &plan->nodes[index];
        const thaw_plan_node *neighbour = &other->nodes[index];
        if (planned->packed || !neighbour->packed ||
            !packs_alike(plan->model->nodes[index].capabilities, planned, neighbour))
            continue;
        planned->packed = neighbour->packed;
        planned->packed->plans++;
    }
}

static thaw_packed_block *create(thaw_context *context, size_t bytes)
{
    const size_t header = thaw_align(sizeof(thaw_packed_block));
    char *memory = thaw_allocate_raw(context, header + bytes);
    if (!memory)
        return NULL;
    thaw_packed_block *block = (thaw_packed_block *)(void *)memory;
    *block = (thaw_packed_block){ .plans = 1, .memory = memory + header };
    return block;
}

thaw_status thaw_plan_reserve_packed(thaw_plan *plan)
{
    for (size_t i = 0; i < plan->order_count; i++) {
        thaw_plan_node *planned = &plan->nodes[plan->order[i]];
        if (planned->packed || planned->needs.packed_bytes == 0)
            continue;
        planned->packed = create(plan->model->context, planned->needs.packed_bytes);
        if (!planned->packed)
            return THAW_OUT_OF_MEMORY;
    }
    return THAW_OK;
}

void thaw_plan_release_packed(thaw_plan *plan)
{
    for (size_t i = 0; plan->nodes && i < plan->node_count; i++) {
        thaw_packed_block *block = plan->nodes[i].packed;
        if (block && --block->plans == 0)
            thaw_release(plan->model->context, block);
        plan->nodes[i].packed = NULL;
    }
}
