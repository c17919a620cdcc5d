/* The bytes of a plan's values, if each had its own memory. Passes save parts of them. */
#ifndef THAW_PLAN_ACCOUNT_H
#define THAW_PLAN_ACCOUNT_H

#include "plan/plan.h"

typedef struct thaw_plan_account {
    size_t separate;                /* in floats, of the whole batch, whether or not they are fused */
    size_t fused, rounded, partial; /* parts of this that are saved: by having no memory; half the bytes; only a tile */
} thaw_plan_account;

thaw_plan_account thaw_plan_account_of(const thaw_plan *plan);

/* The member `separate` of that. */
size_t thaw_plan_separate_bytes(const thaw_plan *plan);

/* The bytes of values that backward computes again. */
size_t thaw_plan_recomputed_bytes(const thaw_plan *plan);

/* The bytes of a request for memory; 0 for -1, which is none. */
static inline size_t thaw_request_bytes(const thaw_plan *plan, int request)
{
    return request < 0 ? 0 : plan->requests[request].bytes;
}

#endif
