/* Memory that running a plan needs. A plan that is only described has none of it. */
#include "core/allocation.h"
#include "plan/plan.h"

static thaw_status reserve_packed(thaw_plan *plan)
{
    if (plan->packed_bytes)
        plan->packed = thaw_allocate_raw(plan->model->context, plan->packed_bytes);
    return plan->packed || plan->packed_bytes == 0 ? THAW_OK : THAW_OUT_OF_MEMORY;
}

/* Allocates values of expressions, which all plans of the model share. */
static thaw_status prepare_values(const thaw_plan *plan)
{
    thaw_status status = THAW_OK;
    for (size_t i = 0; i < plan->use_count; i++)
        for (size_t k = 0; k < plan->uses[i].order_count && status == THAW_OK; k++)
            status = thaw_expression_prepare(plan->uses[i].order[k]);
    return status;
}

thaw_status thaw_plan_make_ready(thaw_plan *plan)
{
    if (plan->ready)
        return THAW_OK;
    thaw_status status = plan->packed ? THAW_OK : reserve_packed(plan);
    if (status == THAW_OK)
        status = prepare_values(plan);
    if (status == THAW_OK)
        status = thaw_plan_reserve_rows(plan);
    plan->ready = status == THAW_OK;
    return status;
}
