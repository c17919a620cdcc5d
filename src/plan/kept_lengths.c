/* The lengths of samples, which the feature cache keeps beside sequences even if nothing behind its cut reads them:
   epochs that start at the cache then run at the lengths of the others, and drop the same elements. */
#include "core/allocation.h"
#include "plan/plan.h"

thaw_status thaw_plan_find_sequences(thaw_plan *plan)
{
    thaw_model *model = plan->program.model;
    const int64_t shortest = model->lengths ? thaw_model_round_length(model, 1) : 0;
    thaw_shape target;
    if (!plan->cuts || !shortest)
        return THAW_OK;
    thaw_shape *shapes = thaw_allocate_array(model->context, plan->node_count, sizeof *shapes);
    if (!shapes)
        return THAW_OUT_OF_MEMORY;
    const thaw_status status = thaw_model_find_shapes(model, shortest, shapes, &target);
    for (size_t i = 0; i < plan->node_count && status == THAW_OK; i++)
        plan->nodes[i].sequence = !thaw_shape_equal(&shapes[i], &model->nodes[i].output);
    thaw_release(model->context, shapes);
    return status == THAW_OUT_OF_MEMORY ? status : THAW_OK; /* otherwise it has a layer that no shorter batch can run */
}

thaw_node thaw_plan_kept_lengths(const thaw_plan *plan, const size_t *last, size_t cut)
{
    const thaw_graph_input *lengths = plan->model->lengths;
    if (!lengths || !plan->nodes[lengths->node].used || plan->position[lengths->node] >= cut)
        return -1;
    for (size_t i = plan->constant_count; i < cut; i++)
        if (plan->nodes[plan->order[i]].sequence && last[i] >= cut)
            return lengths->node;
    return -1;
}
