/* Sums that layers share with the step's other shards, in the middle of forward and backward. */
#include <string.h>

#include "kernels/scaled_sum.h"
#include "program/instructions.h"

/* Where this process has its shards' sums among those of all. */
static double *own_place(const thaw_plan *plan, const thaw_instruction *instruction)
{
    const double *all = plan->nodes[instruction->node].bound.capabilities.sums.all;
    const thaw_shard_range range = thaw_shard_sum_range(plan->program.step.sum);
    return (double *)(uintptr_t)all + range.first * instruction->count;
}

static thaw_status share(const thaw_plan *plan, const thaw_instruction *instruction)
{
    const thaw_program_step *step = &plan->program.step;
    const thaw_shard_range range = thaw_shard_sum_range(step->sum);
    double *all = own_place(plan, instruction) - range.first * instruction->count;
    return thaw_shard_sum_share(step->sum, step->communicator, all,
                                (range.past - range.first) * instruction->count * sizeof *all);
}

/* The only shard of this process. */
thaw_status thaw_do_share(thaw_plan *plan, const thaw_instruction *instruction)
{
    plan->program.step.met = (size_t)(instruction - plan->program.instructions) + 1;
    memcpy(own_place(plan, instruction), plan->nodes[instruction->node].bound.capabilities.sums.own,
           instruction->count * sizeof(double));
    return share(plan, instruction);
}

size_t thaw_program_find_share(const thaw_plan *plan, size_t first, size_t past)
{
    while (first < past && plan->program.instructions[first].kind != THAW_DO_SHARE)
        first++;
    return first;
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

/* Several shards of one process send their gradients after backward. */
thaw_status thaw_program_meet_others(thaw_plan *plan)
{
    const thaw_program *program = &plan->program;
    const thaw_program_step *step = &program->step;
    const size_t first = program->first[THAW_SECTION_FORWARD], past = program->first[THAW_SECTION_SUM];
    const thaw_shard_range range = thaw_shard_sum_range(step->sum);
    const size_t shards = range.past - range.first;
    thaw_status status = THAW_OK;
    for (size_t i = step->met > first ? step->met : first; i < past && status == THAW_OK; i++) {
        const thaw_instruction *instruction = &program->instructions[i];
        if (instruction->kind == THAW_DO_SHARE) {
            memset(own_place(plan, instruction), 0, shards * instruction->count * sizeof(double));
            status = share(plan, instruction);
        } else if (instruction->kind == THAW_DO_FINAL && shards == 1) {
            status = thaw_shard_sum_pass(step->sum, step->communicator, instruction->index);
        }
    }
    return status;
}
