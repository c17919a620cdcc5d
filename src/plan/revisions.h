/* The revisions of what plans were compiled from, to tell when they are stale. */
#ifndef THAW_PLAN_REVISIONS_H
#define THAW_PLAN_REVISIONS_H

#include "params/parameter.h"

typedef struct thaw_revisions {
    uint64_t model;
    uint64_t *optimizers; /* of each group */
    size_t group_count, group_capacity;
} thaw_revisions;

/* Remembers the model as it is. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_revisions_note(thaw_revisions *revisions, const thaw_parameter_set *set);

/* Whether compiling again would give the same plans. */
bool thaw_revisions_are_current(const thaw_revisions *revisions, const thaw_parameter_set *set);

void thaw_revisions_release(thaw_revisions *revisions, thaw_context *context);

#endif
