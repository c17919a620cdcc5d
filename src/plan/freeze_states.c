#include "plan/freeze_states.h"

#include <string.h>

#include "core/allocation.h"
#include "core/context.h"
#include "params/optimizer.h"

static size_t flags_of(const thaw_parameter_set *set)
{
    return set->parameter_count + set->group_count;
}

static void read_flags(const thaw_parameter_set *set, bool *trains)
{
    for (size_t i = 0; i < set->parameter_count; i++)
        trains[i] = thaw_parameter_trainable(set->parameters[i]);
    for (size_t i = 0; i < set->group_count; i++)
        trains[set->parameter_count + i] = set->groups[i]->trainable;
}

thaw_status thaw_freeze_states_note(thaw_freeze_states *kept, const thaw_parameter_set *set)
{
    kept->freezings = set->freezings;
    thaw_release(set->context, kept->trains);
    kept->trains = NULL;
    if (!set->recurs)
        return THAW_OK;
    kept->trains = thaw_allocate_array(set->context, flags_of(set) + 1, sizeof *kept->trains);
    if (!kept->trains)
        return THAW_OUT_OF_MEMORY;
    read_flags(set, kept->trains);
    return THAW_OK;
}

static bool same_optimizers(const thaw_revisions *revisions, const thaw_parameter_set *set)
{
    if (revisions->group_count != set->group_count)
        return false;
    thaw_revisions now = *revisions;
    now.model = set->revision;
    return thaw_revisions_are_current(&now, set);
}

/* Values of expressions belong to no state. */
bool thaw_freeze_states_follow(const thaw_freeze_states *kept, const thaw_revisions *revisions,
                               const thaw_parameter_set *set)
{
    return set->recurs && kept->trains && set->expression_count == 0 &&
           set->revision - revisions->model == set->freezings - kept->freezings && same_optimizers(revisions, set);
}

static void release_state(thaw_freeze_state *state, thaw_context *context)
{
    thaw_kept_plans_release(&state->plans);
    thaw_update_list_release(state->updates);
    thaw_release(context, state->trains);
    *state = (thaw_freeze_state){ 0 };
}

/* The oldest goes if there is no room. */
static thaw_freeze_state *find_room(thaw_freeze_states *kept, thaw_context *context)
{
    if (kept->count < THAW_MOST_FREEZE_STATES)
        return &kept->states[kept->count++];
    thaw_freeze_state *oldest = &kept->states[0];
    for (size_t i = 1; i < kept->count; i++)
        if (kept->states[i].last_use < oldest->last_use)
            oldest = &kept->states[i];
    thaw_kept_plans_bring_back(&oldest->plans);
    release_state(oldest, context);
    return oldest;
}

static void take(thaw_freeze_states *kept, thaw_freeze_state *state, thaw_kept_plans *plans, thaw_update_list **updates)
{
    *plans = state->plans;
    *updates = state->updates;
    kept->trains = state->trains;
    *state = kept->states[--kept->count];
}

thaw_status thaw_freeze_states_switch(thaw_freeze_states *kept, thaw_parameter_set *set, thaw_kept_plans *plans,
                                      thaw_update_list **updates)
{
    thaw_context *context = set->context;
    bool *trains = thaw_allocate_array(context, flags_of(set) + 1, sizeof *trains);
    if (!kept->states)
        kept->states = thaw_allocate_array(context, THAW_MOST_FREEZE_STATES, sizeof *kept->states);
    if (!trains || !kept->states) {
        thaw_release(context, trains);
        return THAW_OUT_OF_MEMORY;
    }
    read_flags(set, trains);
    thaw_update_list_leave(*updates);
    *find_room(kept, context) = (thaw_freeze_state){ *plans, *updates, kept->trains, ++kept->clock };
    *plans = (thaw_kept_plans){ 0 };
    *updates = NULL;
    kept->trains = trains;
    kept->freezings = set->freezings;
    for (size_t i = 0; i < kept->count; i++) {
        if (memcmp(kept->states[i].trains, trains, flags_of(set) * sizeof *trains) != 0)
            continue;
        take(kept, &kept->states[i], plans, updates);
        thaw_release(context, trains);
        return *updates ? thaw_update_list_enter(*updates) : THAW_OK;
    }
    return THAW_OK;
}

void thaw_freeze_states_share(const thaw_freeze_states *kept, thaw_plan *plan)
{
    for (size_t i = 0; i < kept->count; i++)
        thaw_kept_plans_share(&kept->states[i].plans, plan);
}

void thaw_freeze_states_release(thaw_freeze_states *kept, thaw_context *context, bool restores)
{
    while (kept->count) {
        thaw_freeze_state *state = &kept->states[--kept->count];
        if (restores)
            thaw_kept_plans_bring_back(&state->plans);
        release_state(state, context);
    }
    thaw_release(context, kept->states);
    thaw_release(context, kept->trains);
    *kept = (thaw_freeze_states){ 0 };
}
