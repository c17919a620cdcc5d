/* Runs what the combination pass has planned: values before a layer, gradients after it. */
#include "kernels/scaled_sum.h"
#include "program/instructions.h"

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
        planned->bound.parameters[k] = planned->uses[k].expression->value;
        planned->bound.parameter_gradients[k] = use_gradient(plan, &planned->uses[k]);
    }
    if (!planned->low_rank.rank)
        return;
    const thaw_plan_use *up = &planned->uses[parameter_count], *down = up + 1;
    planned->bound.capabilities.low_rank = (thaw_low_rank_run){ up->expression->value, down->expression->value,
                                                                use_gradient(plan, up), use_gradient(plan, down) };
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

uint64_t thaw_plan_version(const thaw_plan *plan, thaw_node node)
{
    const thaw_group *group = plan->model->nodes[node].group;
    uint64_t version = 0;
    for (size_t k = 0; group && k < group->parameter_count; k++) {
        const thaw_plan_use *use = &plan->nodes[node].uses[k];
        if (use->expression->parameter)
            version += use->expression->parameter->version;
        for (size_t i = 0; i < use->order_count; i++)
            version += thaw_expression_leaf_version(use->order[i]);
    }
    return version;
}

/* All instructions share one scratch buffer. */
static void *scratch_of(const thaw_plan *plan)
{
    return plan->scratch_bytes ? (void *)(uintptr_t)plan->arena : NULL;
}

thaw_status thaw_do_evaluate(thaw_plan *plan, const thaw_instruction *instruction)
{
    return thaw_expression_refresh(instruction->expression, scratch_of(plan));
}

thaw_status thaw_do_reevaluate(thaw_plan *plan, const thaw_instruction *instruction)
{
    if (plan->program.step.again)
        return THAW_OK;
    return thaw_expression_compute(instruction->expression, scratch_of(plan));
}

static float *target_of(const thaw_plan *plan, const thaw_plan_term *term)
{
    return term->into < 0 ? term->parameter->gradient : plan->gradient_buffers[term->into].memory;
}

thaw_status thaw_do_propagate(thaw_plan *plan, const thaw_instruction *instruction)
{
    const thaw_plan_term *term = &plan->terms[instruction->index];
    return term->expression->operation->differentiate(term->expression, term->operand,
                                                      &(thaw_differentiation){
                                                          .gradient = plan->gradient_buffers[term->from].memory,
                                                          .into = target_of(plan, term),
                                                          .adds = term->adds,
                                                          .scratch = scratch_of(plan) });
}

thaw_status thaw_do_accumulate(thaw_plan *plan, const thaw_instruction *instruction)
{
    const thaw_plan_term *term = &plan->terms[instruction->index];
    float *into = target_of(plan, term);
    thaw_scaled_sum(plan->model->context, into, into, 1, plan->gradient_buffers[term->from].memory,
                    term->parameter->count);
    return THAW_OK;
}
