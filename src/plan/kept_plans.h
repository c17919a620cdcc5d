/* The plans that a model keeps: those that were used last. */
#ifndef THAW_PLAN_KEPT_PLANS_H
#define THAW_PLAN_KEPT_PLANS_H

#include "plan/plan.h"

/* A host may alternate between calls inside and outside its parallel regions, each with several batch sizes. Plans for
   shorter sequences come on top: of up to THAW_MOST_LENGTHS lengths, for training and for evaluation. */
enum {
    THAW_MOST_PLANS_OF_TEAM = 6,
    THAW_MOST_SHORTER_PLANS = 2 * THAW_MOST_LENGTHS,
    THAW_MOST_TEAMS = 2,
    THAW_MOST_PLANS = (THAW_MOST_PLANS_OF_TEAM + THAW_MOST_SHORTER_PLANS) * THAW_MOST_TEAMS
};

typedef struct thaw_kept_plans {
    thaw_plan *plans[THAW_MOST_PLANS];
    int64_t lengths[THAW_MOST_PLANS]; /* of the plans: a look-up reads only plans of its length */
    size_t count;
    uint64_t clock;
} thaw_kept_plans;

/* Finds the plan for a request and a team of `threads`, and notes that it is used. NULL: there is none. */
thaw_plan *thaw_kept_plans_find(thaw_kept_plans *kept, const thaw_plan_request *request, int threads);

/* Adds a plan that is used now, in place of the least recently used one if there is no room. */
void thaw_kept_plans_add(thaw_kept_plans *kept, thaw_plan *plan);

/* Lets a kept plan that is not ready yet use the packed memory of others, where its kernels read the same layout. */
void thaw_kept_plans_share(const thaw_kept_plans *kept, thaw_plan *plan);

/* Restores parameters that layers keep only packed. */
void thaw_kept_plans_bring_back(const thaw_kept_plans *kept);

/* Releases all plans, and restores nothing. */
void thaw_kept_plans_release(thaw_kept_plans *kept);

#endif
