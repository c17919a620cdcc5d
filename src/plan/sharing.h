/* Which nodes share a buffer. */
#ifndef THAW_PLAN_SHARING_H
#define THAW_PLAN_SHARING_H

#include "plan/plan.h"

/* Sets the `origin` and `root` of a node. The nodes before it in the order must have theirs, and all of them their
   kernels. */
void thaw_share_output(thaw_plan *plan, thaw_node node);

/* At that time: whether nothing else needs the residual of the node's epilogue any more. */
bool thaw_residual_is_last_read(const thaw_plan *plan, thaw_node node);

/* Whether an origin's value is also needed in the other precision: by a reader, or as floats that leave the plan. */
bool thaw_plan_is_copied(const thaw_plan *plan, thaw_node origin);

/* Whether kernels read an origin's fed value in bfloat16: kernels behind the feature cache's cut, or readers of the
   input. */
bool thaw_plan_converts_fed(const thaw_plan *plan, thaw_node origin);

#endif
