/* Plans taken through some of the passes, to look at what one pass does. */
#ifndef THAW_TESTS_PLANS_H
#define THAW_TESTS_PLANS_H

#include "plan/plan.h"
#include "support/toy_network.h"

typedef enum plan_stage {
    PLAN_BARE,
    PLAN_TRAINABILITY,
    PLAN_REGIONS,
    PLAN_COMBINATION,
    PLAN_PRECISION,
    PLAN_FUSION,
    PLAN_KERNELS,
    PLAN_BUFFERS
} plan_stage;

/* A training plan for two samples that has seen the passes up to this one; thaw_plan_release. */
thaw_plan *plan_until(thaw_model *model, plan_stage stage);

/* The same for inference. */
thaw_plan *plan_inference_until(thaw_model *model, plan_stage stage);

/* Asserts what is true of each node of the plan: `expected` has '1' or '0' for node 0 and on. */
void assert_nodes(const thaw_plan *plan, bool (*what)(const thaw_plan *plan, thaw_node node), const char *expected,
                  const char *name);

#endif
