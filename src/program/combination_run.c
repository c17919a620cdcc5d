/* Running what the combination pass has planned: values before a layer, gradients after it. */
#include "kernels/scaled_sum.h"
#include "plan/plan.h"

static float *use_gradient(const thaw_plan *plan, const thaw_plan_use *use)
{
    if (!use->gradient)
        return NULL;
    return use->buffer < 0 ? use->expression->parameter->gradient : plan->gradient_buffers[use->buffer].memory;
}

static void bind_node(thaw_plan *plan, thaw_plan_node *planned)
{
    const size_t parameter_count = planned->use_count - (planned->low_rank.rank ? 2 : 0);
    for (size_t k = 0; k < parameter_count; k++) {
        planned->parameters[k] = planned->uses[k].expression->value;
        planned->parameter_gradients[k] = use_gradient(plan, &planned->uses[k]);
    }
    if (!planned->low_rank.rank)
        return;
    const thaw_plan_use *up = &planned->uses[parameter_count], *down = up + 1;
    planned->factors = (thaw_low_rank_run){ up->expression->value, down->expression->value, use_gradient(plan, up),
                                            use_gradient(plan, down) };
}

void thaw_plan_bind_parameters(thaw_plan *plan, char *arena)
{
    for (size_t i = 0; i < plan->gradient_buffer_count; i++) {
        thaw_plan_buffer *buffer = &plan->gradient_buffers[i];
        buffer->memory = (float *)(void *)(arena + plan->requests[buffer->request].offset);
    }
    for (size_t i = 0; i < plan->order_count; i++)
        bind_node(plan, &plan->nodes[plan->order[i]]);
}

/* Scratch is one for all that runs, kernels too. */
static void *scratch_of(const thaw_plan *plan)
{
    return plan->scratch_bytes ? (void *)(uintptr_t)plan->arena : NULL;
}

thaw_status thaw_plan_refresh(thaw_plan *plan, thaw_node node)
{
    const thaw_plan_node *planned = &plan->nodes[node];
    for (size_t k = 0; k < planned->use_count; k++)
        for (size_t i = 0; i < planned->uses[k].order_count; i++) {
            const thaw_status status = thaw_expression_refresh(planned->uses[k].order[i], scratch_of(plan));
            if (status != THAW_OK)
                return status;
        }
    return THAW_OK;
}

static thaw_status run_term(const thaw_plan *plan, const thaw_plan_term *term)
{
    const thaw_plan_buffer *buffers = plan->gradient_buffers;
    const float *from = buffers[term->from].memory;
    float *into = term->into < 0 ? term->parameter->gradient : buffers[term->into].memory;
    if (term->expression)
        return term->expression->operation->differentiate(term->expression, term->operand,
                                                          &(thaw_differentiation){ .gradient = from,
                                                                                   .into = into,
                                                                                   .adds = term->adds,
                                                                                   .scratch = scratch_of(plan) });
    thaw_scaled_sum(plan->model->context, into, into, 1, from, term->parameter->count);
    return THAW_OK;
}

thaw_status thaw_plan_hand_on(thaw_plan *plan, thaw_node node)
{
    const thaw_plan_node *planned = &plan->nodes[node];
    for (size_t k = 0; k < planned->use_count; k++)
        for (size_t i = planned->uses[k].first_term; i < planned->uses[k].past_term; i++) {
            const thaw_status status = run_term(plan, &plan->terms[i]);
            if (status != THAW_OK)
                return status;
        }
    return THAW_OK;
}
