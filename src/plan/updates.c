/* Makes the list of updates from what a plan trains. */
#include "params/reach.h"
#include "plan/plan.h"
#include "plan/store.h"

/* Holds the elements of trained parameters that no gradient can reach: updates do not change them. */
static thaw_status hold(const thaw_plan *plan, thaw_reach *reach, thaw_update_list *updates)
{
    thaw_status status = THAW_OK;
    for (size_t i = 0; i < plan->order_count && status == THAW_OK; i++) {
        const thaw_group *group = plan->model->nodes[plan->order[i]].group;
        for (size_t k = 0; group && k < group->parameter_count && status == THAW_OK; k++)
            status = thaw_reach_note(reach, thaw_parameter_expression(group->parameters[k]));
    }
    for (size_t i = 0; i < plan->trained_count && status == THAW_OK; i++) {
        uint64_t *held;
        status = thaw_reach_hold(reach, plan->trained[i], &held);
        if (status == THAW_OK)
            status = thaw_update_list_hold(updates, i, held);
    }
    return status;
}

/* Elements of the statistics that follow the node's batches, padded. */
static size_t count_staged(const thaw_plan *plan, thaw_node node)
{
    const thaw_group *group = plan->model->nodes[node].group;
    size_t floats = 0;
    for (size_t k = 0; plan->nodes[node].places.statistics >= 0 && k < group->parameter_count; k++)
        if (group->parameters[k]->role == THAW_STATISTIC)
            floats += thaw_padded_floats(group->parameters[k]->count);
    return floats;
}

static size_t count_all_staged(const thaw_plan *plan)
{
    size_t floats = 0;
    for (size_t i = plan->prefix_count; i < plan->order_count; i++)
        floats += count_staged(plan, plan->order[i]);
    return floats;
}

thaw_status thaw_plan_list_updates(const thaw_plan *plan, thaw_update_list **updates)
{
    const thaw_parameter_set *set = &plan->model->parameters;
    thaw_reach *reach;
    thaw_update_list *made = NULL;
    thaw_status status = thaw_reach_create(set, &reach);
    if (status == THAW_OK)
        status =
            thaw_update_list_create(set->context, plan->trained, plan->trained_count, count_all_staged(plan), &made);
    if (status == THAW_OK)
        status = hold(plan, reach, made);
    thaw_reach_release(reach);
    if (status != THAW_OK) {
        thaw_update_list_release(made);
        made = NULL;
    }
    *updates = made;
    return status;
}

size_t thaw_plan_shared_bytes(const thaw_plan *plan)
{
    size_t floats = count_all_staged(plan);
    for (size_t i = 0; i < plan->trained_count; i++)
        floats += thaw_padded_floats(plan->trained[i]->count);
    return floats * sizeof(float);
}

size_t thaw_plan_shard_bytes(const thaw_plan *plan)
{
    if (plan->shards == 1)
        return 0;
    return thaw_shard_levels((thaw_shard_range){ plan->shards, 0, plan->shards }) * thaw_plan_shared_bytes(plan);
}
