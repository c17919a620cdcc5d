#include "plan/kept_plans.h"

#include "core/pages.h"
#include "params/keeping.h"

/* Restores parameters that the plan's layers keep only packed, before the plan is released. */
static void bring_back(thaw_plan *plan)
{
    for (size_t i = 0; i < plan->order_count; i++) {
        thaw_plan_node *planned = &plan->nodes[plan->order[i]];
        bool keeps = false;
        for (size_t k = 0; planned->lets_go && k < THAW_MAX_PARAMETERS; k++) {
            thaw_parameter *kept = planned->bound.leaving[k];
            if (!kept || kept->kept != &planned->bound.run)
                continue;
            thaw_parameter_bring_back(kept);
            kept->kept = NULL;
            keeps = true;
        }
        if (keeps)
            thaw_pages_give_back(planned->bound.run.packed, planned->needs.packed_bytes);
    }
}

static bool is_for(const thaw_plan *plan, const thaw_plan_request *request, int threads)
{
    const thaw_cache_budget *have = &plan->cache, *wanted = &request->cache;
    if (plan->batch != request->batch || plan->length != request->length || plan->threads != threads ||
        plan->training != request->training || plan->cuts != (request->training || request->cuts) ||
        plan->shards != (request->shards ? request->shards : 1))
        return false;
    return !plan->cuts || (have->sample_bytes == wanted->sample_bytes && have->random == wanted->random &&
                           have->dtype == wanted->dtype);
}

thaw_plan *thaw_kept_plans_find(thaw_kept_plans *kept, const thaw_plan_request *request, int threads)
{
    for (size_t i = 0; i < kept->count; i++)
        if (is_for(kept->plans[i], request, threads)) {
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
        bring_back(*place);
        thaw_plan_release(*place);
    } else {
        place = &kept->plans[kept->count++];
    }
    *place = plan;
    plan->last_use = ++kept->clock;
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
