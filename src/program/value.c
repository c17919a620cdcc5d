/* Where readers find the values of a node. */
#include "plan/plan.h"

const float *thaw_plan_value(const thaw_plan *plan, thaw_node origin, thaw_dtype precision)
{
    const thaw_plan_node *made = &plan->nodes[origin];
    if (made->bound.fed && precision == THAW_F32)
        return made->bound.fed;
    return precision == made->precision ? made->bound.run.output : made->bound.copy;
}
