#include "plan/revisions.h"

#include "core/allocation.h"
#include "params/optimizer.h"

/* Setting an optimizer changes the model's revision; changing a set one does not. */
static uint64_t optimizer_revision(const thaw_group *group)
{
    return group->optimizer ? group->optimizer->revision : 0;
}

bool thaw_revisions_are_current(const thaw_revisions *revisions, const thaw_parameter_set *set)
{
    if (revisions->model != set->revision || revisions->group_count != set->group_count)
        return false;
    for (size_t i = 0; i < set->group_count; i++)
        if (revisions->optimizers[i] != optimizer_revision(set->groups[i]))
            return false;
    return true;
}

thaw_status thaw_revisions_note(thaw_revisions *revisions, const thaw_parameter_set *set)
{
    uint64_t *optimizers = thaw_grow(set->context, revisions->optimizers, &revisions->group_capacity,
                                     set->group_count + 1, sizeof *optimizers);
    if (!optimizers)
        return THAW_OUT_OF_MEMORY;
    revisions->optimizers = optimizers;
    revisions->model = set->revision;
    revisions->group_count = set->group_count;
    for (size_t i = 0; i < set->group_count; i++)
        optimizers[i] = optimizer_revision(set->groups[i]);
    return THAW_OK;
}

void thaw_revisions_release(thaw_revisions *revisions, thaw_context *context)
{
    thaw_release(context, revisions->optimizers);
}
