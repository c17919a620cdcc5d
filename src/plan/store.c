/* The plans of a model: compiled on demand, and released when they are stale. */
#include "plan/store.h"

#include "core/allocation.h"
#include "core/context.h"
#include "core/threads.h"
#include "plan/freeze_states.h"
#include "plan/shard_places.h"

struct thaw_plan_store {
    thaw_kept_plans plans;
    thaw_revisions revisions;
    thaw_freeze_states states; /* others, to which a policy comes back */
    char *arena;               /* one for all plans: only one runs at a time */
    size_t arena_bytes;
    thaw_update_list *updates;
    thaw_shard_sum *sum; /* of the shards that the last step had, if it had several */
    thaw_shard_places places;
    bool *told; /* by node: a warning has been given */
    size_t told_capacity;
};

static void release_shards(thaw_context *context, thaw_plan_store *store)
{
    thaw_shard_sum_release(store->sum);
    store->sum = NULL;
    thaw_shard_places_release(context, &store->places);
}

static void release_plans(thaw_model *model, thaw_plan_store *store)
{
    thaw_context *context = model->context;
    thaw_freeze_states_release(&store->states, context, false);
    thaw_kept_plans_release(&store->plans);
    release_shards(context, store);
    thaw_update_list_release(store->updates);
    store->updates = NULL;
    thaw_release(context, store->arena);
    store->arena = NULL;
    store->arena_bytes = 0;
    thaw_set_release_values(&model->parameters);
}

static void forget_plans(thaw_model *model, thaw_plan_store *store)
{
    thaw_freeze_states_release(&store->states, model->context, true);
    thaw_kept_plans_bring_back(&store->plans);
    release_plans(model, store);
}

/* What was made for other flags, other settings or other layers goes; only where the same blocks train again and again,
   that of earlier states of freezing stays. */
static thaw_status renew(thaw_model *model, thaw_plan_store *store)
{
    thaw_parameter_set *set = &model->parameters;
    thaw_status status;
    if (thaw_freeze_states_follow(&store->states, &store->revisions, set)) {
        for (size_t i = 0; store->places.count && i < store->plans.count; i++)
            store->plans.plans[i]->arena = NULL;
        release_shards(model->context, store);
        status = thaw_freeze_states_switch(&store->states, set, &store->plans, &store->updates);
    } else {
        forget_plans(model, store);
        status = thaw_freeze_states_note(&store->states, set);
    }
    return status == THAW_OK ? thaw_revisions_note(&store->revisions, set) : status;
}

/* For a model that is being destroyed: parameters are not restored. */
static void release_store(thaw_model *model)
{
    release_plans(model, model->plans);
    thaw_release(model->context, model->plans->told);
    thaw_revisions_release(&model->plans->revisions, model->context);
    thaw_release(model->context, model->plans);
    model->plans = NULL;
}

/* ---- compiling ---- */

static thaw_status widen_arena(thaw_context *context, thaw_plan_store *store, size_t bytes)
{
    if (store->arena && bytes <= store->arena_bytes)
        return THAW_OK;
    /* An arena may have no bytes if all outputs are packed, but plans are bound to an address. */
    char *wider = thaw_allocate_raw(context, bytes ? bytes : THAW_ALIGNMENT);
    if (!wider)
        return THAW_OUT_OF_MEMORY;
    thaw_release(context, store->arena);
    store->arena = wider;
    store->arena_bytes = bytes;
    return THAW_OK;
}

/* Makes room for a flag per node. */
static thaw_status reserve_told(const thaw_model *model, thaw_plan_store *store)
{
    const size_t before = store->told_capacity;
    bool *told = thaw_grow(model->context, store->told, &store->told_capacity, model->node_count, sizeof *told);
    if (!told)
        return THAW_OUT_OF_MEMORY;
    memset(told + before, 0, (store->told_capacity - before) * sizeof *told);
    store->told = told;
    return THAW_OK;
}

static thaw_status compile(thaw_model *model, const thaw_plan_request *request, thaw_plan **plan)
{
    thaw_status status = thaw_plan_check_request(model, request);
    if (status == THAW_OK)
        status = thaw_plan_create(model, request, plan);
    if (status == THAW_OK)
        status = thaw_plan_compile(*plan, NULL);
    if (status != THAW_OK) {
        thaw_plan_release(*plan);
        *plan = NULL;
    }
    return status;
}

static thaw_status find(thaw_model *model, const thaw_plan_request *request, thaw_plan **plan)
{
    *plan = NULL;
    if (!model->plans) {
        model->plans = thaw_allocate(model->context, sizeof *model->plans);
        if (!model->plans)
            return THAW_OUT_OF_MEMORY;
        model->release_plans = release_store;
    }
    thaw_plan_store *store = model->plans;
    thaw_status status = THAW_OK;
    if (!thaw_revisions_are_current(&store->revisions, &model->parameters))
        status = renew(model, store);
    *plan = status == THAW_OK ? thaw_kept_plans_find(&store->plans, request, model->context->threads) : NULL;
    if (status != THAW_OK || *plan)
        return status;
    status = compile(model, request, plan);
    if (status != THAW_OK)
        return status;
    status = reserve_told(model, store);
    if (status == THAW_OK) {
        thaw_plan_warn(*plan, store->told);
        thaw_kept_plans_add(&store->plans, *plan);
    } else {
        thaw_plan_release(*plan);
        *plan = NULL;
    }
    return status;
}

/* Allocates what running needs. A plan that is only described has none of it. */
static thaw_status make_ready(thaw_plan_store *store, thaw_plan *plan)
{
    thaw_status status = THAW_OK;
    if (plan->training && !store->updates)
        status = thaw_plan_list_updates(plan, &store->updates);
    if (status == THAW_OK)
        status = widen_arena(plan->model->context, store, plan->arena_bytes);
    thaw_kept_plans_share(&store->plans, plan);
    thaw_freeze_states_share(&store->states, plan);
    return status == THAW_OK ? thaw_plan_make_ready(plan) : status;
}

static thaw_status find_ready(thaw_model *model, const thaw_plan_request *request, thaw_plan **plan)
{
    thaw_plan *found;
    thaw_status status = find(model, request, &found);
    if (status == THAW_OK && !found->ready)
        status = make_ready(model->plans, found);
    *plan = status == THAW_OK ? found : NULL;
    if (status == THAW_OK)
        thaw_plan_bind(found, model->plans->arena);
    return status;
}

thaw_status thaw_plan_suppose(thaw_model *model, const thaw_plan_request *request, thaw_plan **plan)
{
    *plan = NULL;
    return compile(model, request, plan);
}

thaw_status thaw_plan_find(thaw_model *model, int64_t batch, bool training, thaw_plan **plan)
{
    return find_ready(model, &(thaw_plan_request){ .batch = batch, .training = training, .cache = model->cache }, plan);
}

thaw_status thaw_plan_find_length(thaw_model *model, int64_t batch, int64_t length, thaw_plan **plan)
{
    return find_ready(model,
                      &(thaw_plan_request){ .batch = batch, .cache = model->cache, .shards = 1, .length = length },
                      plan);
}

thaw_status thaw_plan_find_test(thaw_model *model, int64_t batch, int64_t length, const thaw_cache_budget *budget,
                                thaw_plan **plan)
{
    return find_ready(model,
                      &(thaw_plan_request){
                          .batch = batch, .cache = *budget, .shards = 1, .cuts = true, .length = length },
                      plan);
}

static thaw_status make_sum(const thaw_plan *plan, thaw_plan_store *store, thaw_shard_range range)
{
    if (store->sum && thaw_shard_sum_is_for(store->sum, store->updates, range))
        return THAW_OK;
    thaw_context *context = plan->model->context;
    thaw_shard_sum_release(store->sum);
    store->sum = NULL;
    size_t *counts = thaw_allocate_array(context, plan->program.staged_count + 1, sizeof *counts);
    if (!counts)
        return THAW_OUT_OF_MEMORY;
    for (size_t i = 0; i < plan->program.staged_count; i++)
        counts[i] = plan->program.staged[i].parameter->count;
    const thaw_status status =
        thaw_shard_sum_create(context, store->updates, counts, plan->program.staged_count, range, &store->sum);
    thaw_release(context, counts);
    return status;
}

thaw_status thaw_plan_find_shard(thaw_model *model, int64_t batch, int64_t length, thaw_shard_range range,
                                 thaw_plan **plan)
{
    thaw_status status = find_ready(model,
                                    &(thaw_plan_request){ .batch = batch,
                                                          .training = true,
                                                          .cache = model->cache,
                                                          .shards = range.shards,
                                                          .length = length },
                                    plan);
    if (status == THAW_OK && range.shards > 1)
        status = make_sum(*plan, model->plans, range);
    if (status != THAW_OK)
        *plan = NULL;
    return status;
}

thaw_shard_sum *thaw_plan_shard_sum(const thaw_model *model)
{
    return model->plans ? model->plans->sum : NULL;
}

thaw_update_list *thaw_plan_updates(const thaw_model *model)
{
    return model->plans ? model->plans->updates : NULL;
}

thaw_status thaw_plan_reserve_places(const thaw_plan *plan, size_t count)
{
    thaw_plan_store *store = plan->model->plans;
    return thaw_shard_places_reserve(plan->model->context, &store->places, count,
                                     thaw_update_list_floats(store->updates), plan->arena_bytes);
}

thaw_shard_place *thaw_plan_place(const thaw_model *model, size_t index)
{
    return &model->plans->places.places[index];
}

/* Bound anew even to an arena at the same address: gradients may be elsewhere. */
void thaw_plan_enter_place(thaw_plan *plan, size_t index)
{
    const thaw_plan_store *store = plan->model->plans;
    const thaw_shard_place *place = &store->places.places[index];
    thaw_update_list_move(store->updates, place->gradients);
    plan->arena = NULL;
    thaw_plan_bind(plan, place->arena ? place->arena : store->arena);
}

void thaw_model_set_fusion(thaw_model *model, bool fusion)
{
    if (model->unfused == !fusion)
        return;
    model->unfused = !fusion;
    model->parameters.revision++;
}

thaw_status thaw_model_plan(thaw_model *model, const thaw_plan_options *options, const thaw_plan **plan)
{
    thaw_plan *found;
    const thaw_thread_scope scope = thaw_threads_enter(model->context);
    const int64_t shards = options->shards && !options->inference ? options->shards : 1;
    thaw_plan_request request = { .batch = options->batch / shards + (options->batch % shards > 0),
                                  .training = !options->inference,
                                  .cache = model->cache,
                                  .shards = (size_t)shards };
    if (options->cache_sample_bytes || options->random_data || options->cache_dtype)
        request.cache = (thaw_cache_budget){ options->cache_sample_bytes, options->random_data, options->cache_dtype };
    const thaw_status status = find(model, &request, &found);
    thaw_threads_leave(scope);
    *plan = found;
    return status;
}
