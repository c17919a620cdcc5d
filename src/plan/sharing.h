/* Who shares a buffer with whom. */
#ifndef THAW_PLAN_SHARING_H
#define THAW_PLAN_SHARING_H

#include "plan/plan.h"

/* The `origin` and `root` of one node, when those before it in the order have theirs, and all of them their kernels. */
void thaw_share_output(thaw_plan *plan, thaw_node node);

/* At that time, whether the residual of the node's epilogue is wanted by nobody else from then on. */
bool thaw_residual_is_last_read(const thaw_plan *plan, thaw_node node);

/* Whether an origin's value is wanted in the other precision, too: by a reader, or as floats that leave the plan. */
bool thaw_plan_is_copied(const thaw_plan *plan, thaw_node origin);

/* Whether kernels that run on what an origin is fed with, those behind the feature cache's cut or the input's, read
   bfloat16. */
bool thaw_plan_converts_fed(const thaw_plan *plan, thaw_node origin);

#endif
