#include "plan/kept_plans.h"

#include "core/pages.h"
#include "params/keeping.h"

/* Whether a parameter's values have left memory, and this node of a plan is the one that restores them. */
static bool keeps(const thaw_parameter *parameter, const thaw_plan_node *planned)
{
    return parameter && parameter->kept == &planned->bound.run;
}

/* Restores parameters that a node of a plan keeps only packed, before the plan is released. */
static void restore(thaw_plan_node *planned)
{
    bool restored = false;
    for (size_t k = 0; k < THAW_MAX_PARAMETERS; k++) {
        thaw_parameter *parameter = planned->bound.leaving[k];
        if (!keeps(parameter, planned))
            continue;
        thaw_parameter_bring_back(parameter);
        parameter->kept = NULL;
        restored = true;
    }
    if (restored)
        thaw_pages_give_back(planned->packed->memory, planned->needs.packed_bytes);
}

static void bring_back(thaw_plan *plan)
{
    for (size_t i = 0; i < plan->order_count; i++)
        if (plan->nodes[plan->order[i]].lets_go)
            restore(&plan->nodes[plan->order[i]]);
}

/* The node of another plan, ready to run, that shares packed memory with this plan's; NULL: there is none. */
static thaw_plan_node *find_heir(const thaw_kept_plans *kept, const thaw_plan *plan, thaw_node index)
{
    const thaw_packed_block *block = plan->nodes[index].packed;
    for (size_t i = 0; block && block->plans > 1 && i < kept->count; i++)
        if (kept->plans[i] != plan && kept->plans[i]->ready && kept->plans[i]->nodes[index].packed == block)
            return &kept->plans[i]->nodes[index];
    return NULL;
}

/* Leaves parameters that the plan's layers keep only packed to plans that share the memory, and restores the others,
   before the plan is released alone. */
static void hand_over(const thaw_kept_plans *kept, thaw_plan *plan)
{
    for (size_t i = 0; i < plan->order_count; i++) {
        thaw_plan_node *planned = &plan->nodes[plan->order[i]];
        const thaw_plan_node *heir = planned->lets_go ? find_heir(kept, plan, plan->order[i]) : NULL;
        for (size_t k = 0; heir && k < THAW_MAX_PARAMETERS; k++)
            if (keeps(planned->bound.leaving[k], planned))
                planned->bound.leaving[k]->kept = &heir->bound.run;
        if (planned->lets_go && !heir)
            restore(planned);
    }
}

static bool is_for(const thaw_plan *plan, const thaw_plan_request *request, int threads)
{
    const thaw_cache_budget *have = &plan->cache, *wanted = &request->cache;
    if (plan->batch != request->batch || plan->threads != threads || plan->training != request->training ||
        plan->cuts != (request->training || request->cuts) || plan->shards != (request->shards ? request->shards : 1))
        return false;
    return !plan->cuts || (have->sample_bytes == wanted->sample_bytes && have->random == wanted->random &&
                           have->dtype == wanted->dtype);
}

thaw_plan *thaw_kept_plans_find(thaw_kept_plans *kept, const thaw_plan_request *request, int threads)
{
    for (size_t i = 0; i < kept->count; i++)
        if (kept->lengths[i] == request->length && is_for(kept->plans[i], request, threads)) {
            kept->plans[i]->last_use = ++kept->clock;
            return kept->plans[i];
        }
    return NULL;
}

/* The least recently used plan for a team of `threads`, or of all plans if that is 0. NULL: there are fewer than
   `most`. Counts only plans of the whole length, or only those of shorter ones, if there is a team. */
static thaw_plan **find_oldest(thaw_kept_plans *kept, int threads, bool shorter, size_t most)
{
    thaw_plan **oldest = NULL;
    size_t count = 0;
    for (size_t i = 0; i < kept->count; i++) {
        thaw_plan **place = &kept->plans[i];
        if (threads && ((*place)->threads != threads || ((*place)->length > 0) != shorter))
            continue;
        count++;
        if (!oldest || (*place)->last_use < (*oldest)->last_use)
            oldest = place;
    }
    return count < most ? NULL : oldest;
}

void thaw_kept_plans_add(thaw_kept_plans *kept, thaw_plan *plan)
{
    const bool shorter = plan->length > 0;
    thaw_plan **place =
        find_oldest(kept, plan->threads, shorter, shorter ? THAW_MOST_SHORTER_PLANS : THAW_MOST_PLANS_OF_TEAM);
    if (!place)
        place = find_oldest(kept, 0, false, THAW_MOST_PLANS);
    if (place) {
        hand_over(kept, *place);
        thaw_plan_release(*place);
    } else {
        place = &kept->plans[kept->count++];
    }
    *place = plan;
    kept->lengths[place - kept->plans] = plan->length;
    plan->last_use = ++kept->clock;
}

void thaw_kept_plans_share(const thaw_kept_plans *kept, thaw_plan *plan)
{
    for (size_t i = 0; i < kept->count; i++)
        if (kept->plans[i] != plan && kept->plans[i]->ready)
            thaw_plan_share_packed(plan, kept->plans[i]);
}

void thaw_kept_plans_bring_back(const thaw_kept_plans *kept)
{
    for (size_t i = 0; i < kept->count; i++)
        bring_back(kept->plans[i]);
}

void thaw_kept_plans_release(thaw_kept_plans *kept)
{
    while (kept->count)
        thaw_plan_release(kept->plans[--kept->count]);
}
