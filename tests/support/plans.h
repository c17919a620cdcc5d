/* Plans taken through some of the passes, to look at what one pass does. */
#ifndef THAW_TESTS_PLANS_H
#define THAW_TESTS_PLANS_H

#include "plan/plan.h"
#include "support/toy_network.h"

/* A training plan for two samples that has seen the passes up to this one, NULL: none; thaw_plan_release. */
thaw_plan *plan_until(thaw_model *model, const char *pass);

/* The same for inference. */
thaw_plan *plan_inference_until(thaw_model *model, const char *pass);

/* Asserts what is true of each node of the plan: `expected` has '1' or '0' for node 0 and on. */
void assert_nodes(const thaw_plan *plan, bool (*what)(const thaw_plan *plan, thaw_node node), const char *expected,
                  const char *name);

#endif
