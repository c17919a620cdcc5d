/* Backward needs only the sign of ReLU's output: one bit per element. If nothing else in backward reads the output,
   its memory is free after the last reader in forward. */
#include "kernels/bit_mask.h"
#include "plan/sharing.h"

static bool is_relu(const thaw_plan *plan, thaw_node index)
{
    const thaw_plan_node *planned = &plan->nodes[index];
    return planned->carries && planned->input_gradient[0] && planned->needs.keeps_output && !planned->absorbed &&
           plan->model->nodes[index].capabilities->activation == THAW_ACTIVATION_RELU;
}

/* Whether anything else in backward reads the buffer `root`. */
static bool is_read_otherwise(const thaw_plan *plan, thaw_node root, thaw_node relu)
{
    for (size_t i = plan->prefix_count; i < plan->order_count; i++) {
        const thaw_node index = plan->order[i];
        const thaw_plan_node *planned = &plan->nodes[index];
        if (!planned->carries)
            continue;
        if (planned->needs.keeps_output && planned->root == root && index != relu)
            return true;
        for (size_t k = 0; k < planned->source_count && planned->needs.keeps_inputs; k++)
            if (plan->nodes[planned->sources[k]].root == root)
                return true;
    }
    return false;
}

thaw_status thaw_pass_masks(thaw_plan *plan)
{
    for (size_t i = plan->prefix_count; i < plan->order_count; i++) {
        const thaw_node index = plan->order[i];
        thaw_plan_node *planned = &plan->nodes[index];
        if (!is_relu(plan, index) || is_read_otherwise(plan, planned->root, index))
            continue;
        planned->masks = true;
        planned->needs.keeps_output = false;
    }
    return THAW_OK;
}

static size_t count_elements(const thaw_plan *plan, thaw_node index)
{
    return (size_t)plan->batch * thaw_shape_count(thaw_plan_shape(plan, index));
}

size_t thaw_plan_mask_bytes(const thaw_plan *plan, thaw_node index)
{
    return plan->nodes[index].masks ? thaw_bit_mask_bytes(count_elements(plan, index)) : 0;
}
