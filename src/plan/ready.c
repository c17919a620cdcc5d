/* Memory that running a plan needs. A plan that is only described has none of it. */
#include "core/allocation.h"
#include "plan/plan.h"

/* Allocates values of expressions, which all plans of the model share. */
static thaw_status prepare_values(const thaw_plan *plan)
{
    thaw_status status = THAW_OK;
    for (size_t i = 0; i < plan->use_count; i++)
        for (size_t k = 0; k < plan->uses[i].order_count && status == THAW_OK; k++)
            status = thaw_expression_prepare(plan->uses[i].order[k]);
    return status;
}

/* Only where the targets of a shorter sequence are shorter, too. */
static thaw_status reserve_targets(thaw_plan *plan)
{
    const thaw_graph_node *target = &plan->model->nodes[plan->target];
    const size_t count = thaw_shape_count(&plan->target_shape);
    if (plan->targets || thaw_model_loss(plan->model) < 0 || count == thaw_shape_count(&target->target))
        return THAW_OK;
    plan->targets =
        thaw_allocate_array(plan->model->context, (size_t)plan->batch, count * thaw_dtype_bytes(target->target_dtype));
    return plan->targets ? THAW_OK : THAW_OUT_OF_MEMORY;
}

bool thaw_plan_keeps_beginnings(const thaw_plan *plan)
{
    for (size_t i = plan->constant_count; i < plan->cut_count; i++) {
        const thaw_node node = plan->order[i];
        const thaw_shape *whole = &plan->model->nodes[node].output, *shape = thaw_plan_shape(plan, node);
        if (!plan->nodes[node].boundary || thaw_shape_equal(shape, whole))
            continue;
        thaw_shape longer = *shape;
        longer.dims[0] = whole->dims[0];
        if (!thaw_shape_equal(&longer, whole))
            return false;
    }
    return true;
}

/* Only where rows of the feature cache are longer than this plan's. */
static thaw_status reserve_features(thaw_plan *plan)
{
    size_t count = 0;
    for (size_t i = plan->constant_count; plan->length && plan->cuts && i < plan->cut_count; i++) {
        const thaw_node node = plan->order[i];
        const size_t own = thaw_shape_count(thaw_plan_shape(plan, node));
        if (plan->nodes[node].boundary && own < thaw_shape_count(&plan->model->nodes[node].output))
            count += own;
    }
    if (!count || plan->features)
        return THAW_OK;
    plan->features = thaw_allocate_array(plan->model->context, (size_t)plan->batch, count * sizeof *plan->features);
    return plan->features ? THAW_OK : THAW_OUT_OF_MEMORY;
}

thaw_status thaw_plan_make_ready(thaw_plan *plan)
{
    if (plan->ready)
        return THAW_OK;
    thaw_status status = thaw_plan_reserve_packed(plan);
    if (status == THAW_OK)
        status = reserve_targets(plan);
    if (status == THAW_OK)
        status = reserve_features(plan);
    if (status == THAW_OK)
        status = prepare_values(plan);
    if (status == THAW_OK)
        status = thaw_plan_reserve_rows(plan);
    plan->ready = status == THAW_OK;
    return status;
}
