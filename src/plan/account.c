#include "plan/account.h"

static void count_node(const thaw_plan *plan, thaw_node index, thaw_plan_account *sum)
{
    const thaw_plan_node *planned = &plan->nodes[index];
    const thaw_graph_node *node = &plan->model->nodes[index];
    const size_t sample = thaw_shape_count(thaw_plan_shape(plan, index)), count = (size_t)plan->batch * sample;
    const size_t whole = node->module->loss ? sizeof(float) : count * sizeof(float);
    const size_t half = planned->precision == THAW_BF16 ? whole / 2 : 0;
    const size_t gradients = planned->carries && !node->module->loss ? 1 : 0;
    const size_t written = planned->fused_into < 0, differentiated = planned->absorbed ? 0 : gradients;
    sum->separate += whole * (1 + gradients) + thaw_request_bytes(plan, planned->places.workspace);
    for (size_t k = 0; k < THAW_MAX_INPUTS; k++)
        sum->separate += thaw_request_bytes(plan, planned->places.spare[k]);
    sum->fused += whole * (1 - written + gradients - differentiated);
    sum->rounded += half * (written + differentiated);
    if (planned->partial && written)
        sum->partial += (size_t)(plan->batch - plan->tile) * sample * thaw_dtype_bytes(planned->precision);
}

thaw_plan_account thaw_plan_account_of(const thaw_plan *plan)
{
    thaw_plan_account sum = { .separate = plan->scratch_bytes };
    for (size_t i = 0; i < plan->order_count; i++) {
        const thaw_layer_module *module = plan->model->nodes[plan->order[i]].module;
        if (module && !module->source)
            count_node(plan, plan->order[i], &sum);
    }
    for (size_t i = 0; i < plan->gradient_buffer_count; i++)
        sum.separate += plan->gradient_buffers[i].count * sizeof(float);
    return sum;
}

size_t thaw_plan_separate_bytes(const thaw_plan *plan)
{
    return thaw_plan_account_of(plan).separate;
}

size_t thaw_plan_recomputed_bytes(const thaw_plan *plan)
{
    size_t bytes = 0;
    for (size_t i = 0; i < plan->order_count; i++)
        bytes += thaw_request_bytes(plan, plan->nodes[plan->order[i]].places.again);
    return bytes;
}
