/* Where the feature cache cuts the prefix: at its end. If the values that leave the prefix there exceed the cache's
   budget, the cut is behind the last node at which the values fit. What follows the cut is computed again in each
   epoch. */
#include "plan/plan.h"

enum { LEAST_SHARE = 20 /* a cut that saves less than this part of the prefix's operations is not worth its memory */ };

void thaw_plan_find_last_readers(const thaw_plan *plan, size_t *last)
{
    for (size_t i = 0; i < plan->order_count; i++) {
        const thaw_graph_node *node = &plan->model->nodes[plan->order[i]];
        for (size_t k = 0; k < node->input_count; k++)
            if (plan->position[node->inputs[k]] < plan->prefix_count)
                last[plan->position[node->inputs[k]]] = i;
    }
}

/* Bytes per sample of values that pass from nodes before `cut` to nodes after it, and of lengths kept with them. */
static size_t bytes_across(const thaw_plan *plan, const size_t *last, size_t cut)
{
    size_t bytes = 0;
    for (size_t i = plan->constant_count; i < cut; i++)
        if (last[i] >= cut)
            bytes += thaw_plan_cached_bytes(plan, plan->order[i]);
    const thaw_node lengths = thaw_plan_kept_lengths(plan, last, cut);
    return lengths < 0 || last[plan->position[lengths]] >= cut ? bytes : bytes + thaw_plan_cached_bytes(plan, lengths);
}

static double flops_before(const thaw_plan *plan, size_t cut)
{
    double flops = 0;
    for (size_t i = plan->constant_count; i < cut; i++)
        flops += plan->model->nodes[plan->order[i]].flops;
    return flops;
}

static void move_cut(thaw_plan *plan, const size_t *last, size_t cut)
{
    plan->cut_count = cut;
    for (size_t i = plan->constant_count; i < plan->prefix_count; i++)
        plan->nodes[plan->order[i]].boundary = i < cut && last[i] >= cut;
}

thaw_status thaw_pass_cut(thaw_plan *plan)
{
    const size_t limit = plan->cache.sample_bytes;
    if (!plan->cuts || plan->prefix_count == plan->constant_count)
        return THAW_OK;
    size_t *last = thaw_allocate_array(plan->model->context, plan->prefix_count, sizeof *last);
    const thaw_status status = last ? thaw_plan_find_sequences(plan) : THAW_OUT_OF_MEMORY;
    if (status != THAW_OK) {
        thaw_release(plan->model->context, last);
        return status;
    }
    thaw_plan_find_last_readers(plan, last);
    plan->prefix_bytes = bytes_across(plan, last, plan->prefix_count);
    const double least = flops_before(plan, plan->prefix_count) / LEAST_SHARE;
    plan->too_large = limit > 0 && plan->prefix_bytes > limit;
    for (size_t cut = plan->prefix_count; plan->too_large && cut-- > plan->constant_count;) {
        if (flops_before(plan, cut) <= least || bytes_across(plan, last, cut) > limit)
            continue;
        move_cut(plan, last, cut);
        plan->too_large = false;
    }
    const thaw_node lengths = thaw_plan_kept_lengths(plan, last, plan->cut_count);
    if (lengths >= 0)
        plan->nodes[lengths].boundary = true;
    thaw_release(plan->model->context, last);
    return THAW_OK;
}
