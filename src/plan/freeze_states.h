/* Plans of states of freezing that a policy comes back to: each with its update list, so that going from one to another
   compiles nothing. */
#ifndef THAW_PLAN_FREEZE_STATES_H
#define THAW_PLAN_FREEZE_STATES_H

#include "plan/kept_plans.h"
#include "plan/revisions.h"

enum { THAW_MOST_FREEZE_STATES = 32 };

/* What was made for one state. */
typedef struct thaw_freeze_state {
    thaw_kept_plans plans;
    thaw_update_list *updates; /* NULL: none yet */
    bool *trains;              /* of each parameter, then the flag of each group */
    uint64_t last_use;
} thaw_freeze_state;

typedef struct thaw_freeze_states {
    thaw_freeze_state *states; /* those that were left */
    size_t count;
    bool *trains; /* of the current one; NULL: unknown */
    uint64_t freezings, clock;
} thaw_freeze_states;

/* Remembers what trains now. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_freeze_states_note(thaw_freeze_states *kept, const thaw_parameter_set *set);

/* Whether nothing but what trains has changed since then, in a set whose states recur. */
bool thaw_freeze_states_follow(const thaw_freeze_states *kept, const thaw_revisions *revisions,
                               const thaw_parameter_set *set);

/* Puts the plans and updates of the state that is left aside, in place of the oldest ones if there is no room, and takes
   those of the new state, if there are any; otherwise *plans is empty and *updates NULL. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_freeze_states_switch(thaw_freeze_states *kept, thaw_parameter_set *set, thaw_kept_plans *plans,
                                      thaw_update_list **updates);

/* Lets a plan use packed memory of plans that were put aside. */
void thaw_freeze_states_share(const thaw_freeze_states *kept, thaw_plan *plan);

/* Releases all, and restores parameters that layers keep only packed if `restores`. */
void thaw_freeze_states_release(thaw_freeze_states *kept, thaw_context *context, bool restores);

#endif
