/* Sums that layers share with the step's other shards, in the middle of forward and backward. */
#include <string.h>

#include "kernels/scaled_sum.h"
#include "program/instructions.h"

/* Copies this shard's sums to their place among those of all shards, which the others fill. */
static thaw_status share(thaw_plan *plan, const thaw_instruction *instruction)
{
    const thaw_program_step *step = &plan->program.step;
    const thaw_shared_sums *sums = &plan->nodes[instruction->node].bound.capabilities.sums;
    double *all = (double *)(uintptr_t)sums->all;
    memcpy(all + thaw_shard_sum_range(step->sum).first * instruction->count, sums->own,
           instruction->count * sizeof *all);
    return thaw_shard_sum_share(step->sum, step->communicator, all, instruction->count * sizeof *all);
}

thaw_status thaw_do_share(thaw_plan *plan, const thaw_instruction *instruction)
{
    plan->program.step.met = (size_t)(instruction - plan->program.instructions) + 1;
    return share(plan, instruction);
}

/* The loss's backward runs first, and has written each of these. In such plans it computes in floats. */
thaw_status thaw_do_scale(thaw_plan *plan, const thaw_instruction *instruction)
{
    thaw_context *context = plan->model->context;
    const thaw_graph_node *node = &plan->model->nodes[instruction->node];
    const thaw_plan_binding *bound = &plan->nodes[instruction->node].bound;
    const float factor = plan->program.step.loss_factor;
    for (size_t k = 0; k < node->input_count; k++) {
        float *gradient = bound->input_gradients[k];
        const size_t count = (size_t)plan->batch * thaw_shape_count(thaw_plan_shape(plan, node->inputs[k]));
        if (gradient)
            thaw_scaled_sum(context, gradient, NULL, factor, gradient, count);
    }
    for (size_t k = 0; node->group && k < node->group->parameter_count; k++) {
        float *gradient = bound->parameter_gradients[k];
        if (gradient)
            thaw_scaled_sum(context, gradient, NULL, factor, gradient, node->group->parameters[k]->count);
    }
    return THAW_OK;
}

thaw_status thaw_program_meet_others(thaw_plan *plan)
{
    const thaw_program *program = &plan->program;
    const thaw_program_step *step = &program->step;
    const size_t first = program->first[THAW_SECTION_FORWARD], past = program->first[THAW_SECTION_SUM];
    thaw_status status = THAW_OK;
    for (size_t i = step->met > first ? step->met : first; i < past && status == THAW_OK; i++) {
        const thaw_instruction *instruction = &program->instructions[i];
        if (instruction->kind == THAW_DO_SHARE) {
            memset(plan->nodes[instruction->node].bound.capabilities.sums.own, 0, instruction->count * sizeof(double));
            status = share(plan, instruction);
        } else if (instruction->kind == THAW_DO_FINAL) {
            status = thaw_shard_sum_pass(step->sum, step->communicator, instruction->index);
        }
    }
    return status;
}
