/* What each pass saves, in bytes. */
#include "plan/account.h"

enum { FUSION, PRECISION, TILES, SHARING, MASKS, RECOMPUTATION, WEIGHTS, CACHE, SAVINGS };

/* Saved by buffers that share memory with other values, or reuse it later; less what is added: masks, copies in
   another precision, borders of cache lines. */
static size_t count_shared(const thaw_plan *plan)
{
    const thaw_plan_account sum = thaw_plan_account_of(plan);
    const size_t all = sum.separate - sum.fused - sum.rounded - sum.partial;
    return all > plan->arena_bytes ? all - plan->arena_bytes : 0;
}

static size_t count_masked(const thaw_plan *plan)
{
    size_t bytes = 0;
    for (size_t i = 0; i < plan->order_count; i++) {
        const thaw_plan_node *planned = &plan->nodes[plan->order[i]];
        const size_t count = (size_t)plan->batch * thaw_shape_count(thaw_plan_shape(plan, plan->order[i]));
        if (planned->masks)
            bytes += count * thaw_dtype_bytes(planned->precision) - thaw_request_bytes(plan, planned->places.mask);
    }
    return bytes;
}

static size_t count_weights(const thaw_plan *plan)
{
    size_t bytes = 0;
    for (size_t i = 0; i < plan->order_count; i++)
        for (size_t k = 0; k < THAW_MAX_PARAMETERS; k++)
            if (plan->nodes[plan->order[i]].leaves[k])
                bytes += plan->model->nodes[plan->order[i]].group->parameters[k]->count * sizeof(float);
    return bytes;
}

static double count_cached_flops(const thaw_plan *plan)
{
    const thaw_plan_totals totals = thaw_plan_totals_of(plan);
    return totals.cached_bytes_per_sample ? totals.flops - totals.cached_flops : 0;
}

size_t thaw_plan_saving_count(const thaw_plan *plan)
{
    (void)plan;
    return SAVINGS;
}

thaw_status thaw_plan_saving_at(const thaw_plan *plan, size_t index, thaw_plan_saving *saving)
{
    static const thaw_plan_saving entries[] = {
        [FUSION] = { .pass = "fusion", .what = "values that no kernel writes" },
        [PRECISION] = { .pass = "precision", .what = "halves of values in bfloat16" },
        [TILES] = { .pass = "tiles", .what = "values that exist only for a few samples at a time" },
        [SHARING] = { .pass = "sharing", .what = "values in memory of others that are no longer needed" },
        [MASKS] = { .pass = "masks", .what = "outputs of which backward only needs one bit per element" },
        [RECOMPUTATION] = { .pass = "recomputation", .what = "values that backward computes again" },
        [WEIGHTS] = { .pass = "weights", .what = "frozen weights that exist only in packed form" },
        [CACHE] = { .pass = "cache", .what = "fewer operations per step, from the second epoch on" },
    };
    if (index >= SAVINGS)
        return thaw_fail(plan->model->context, THAW_INVALID_ARGUMENT, "saving is %zu, the plan has %d", index, SAVINGS);
    const thaw_plan_account sum = thaw_plan_account_of(plan);
    const size_t bytes[SAVINGS] = {
        [FUSION] = sum.fused,
        [PRECISION] = sum.rounded,
        [TILES] = sum.partial,
        [SHARING] = count_shared(plan),
        [MASKS] = count_masked(plan),
        [RECOMPUTATION] = thaw_plan_recomputed_bytes(plan),
        [WEIGHTS] = count_weights(plan),
    };
    *saving = entries[index];
    saving->bytes = bytes[index];
    saving->flops = index == CACHE ? count_cached_flops(plan) : 0;
    return THAW_OK;
}
