/* Instructions about parameters: packed copies of them, gradients and updates. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "params/finite.h"
#include "params/keeping.h"
#include "program/instructions.h"

thaw_status thaw_do_restore(thaw_plan *plan, const thaw_instruction *instruction)
{
    const thaw_group *group = plan->model->nodes[instruction->node].group;
    for (size_t k = 0; group && k < group->parameter_count; k++)
        thaw_parameter_bring_back(group->parameters[k]);
    return THAW_OK;
}

/* Clears packed memory before a layer first packs. Kernels may read the padding of blocked layouts, which relayouts
   need not write. Layers that let go of a weight clear what they do not write. */
static void clear_packed(thaw_plan_node *planned)
{
    if (planned->packed->version == 0 && !planned->lets_go)
        memset(planned->packed->memory, 0, planned->needs.packed_bytes);
}

/* Makes the layer the keeper of the parameters that it may let go of. */
static void keep_values(thaw_plan *plan, const thaw_graph_node *node, const thaw_plan_node *planned)
{
    for (size_t k = 0; planned->lets_go && k < node->group->parameter_count; k++)
        if (planned->leaves[k]) {
            thaw_parameter *parameter = node->group->parameters[k];
            parameter->keeper = node->capabilities;
            parameter->kept = &planned->bound.run;
            parameter->kept_as = k;
            plan->program.model->parameters.absences++;
        }
}

/* Packs if the parameters, or the channel map that is packed with them, have another version than when this plan or
   one that shares the memory packed. */
thaw_status thaw_do_pack(thaw_plan *plan, const thaw_instruction *instruction)
{
    const thaw_graph_node *node = &plan->model->nodes[instruction->node];
    thaw_plan_node *planned = &plan->nodes[instruction->node];
    const thaw_plan_node *map = planned->channel_map < 0 ? NULL : &plan->nodes[planned->channel_map];
    const uint64_t version =
        1 + thaw_plan_version(plan, instruction->node) + (map && map->packed ? map->packed->version : 0);
    if (!planned->lets_go)
        thaw_do_restore(plan, instruction);
    if (planned->packed->version == version)
        return THAW_OK;
    thaw_do_restore(plan, instruction); /* values that a layer of this or another plan keeps only packed */
    keep_values(plan, node, planned);
    clear_packed(planned);
    const thaw_status status = node->module->pack(&planned->bound.run);
    planned->packed->version = status == THAW_OK ? version : 0;
    return status;
}

thaw_status thaw_do_repack(thaw_plan *plan, const thaw_instruction *instruction)
{
    thaw_plan_node *planned = &plan->nodes[instruction->node];
    if (plan->program.step.again)
        return THAW_OK;
    thaw_do_restore(plan, instruction); /* a frozen weight beside a bias that trains, if another plan let go of it */
    clear_packed(planned);
    planned->packed->version = 1;
    return plan->model->nodes[instruction->node].module->pack(instruction->run);
}

thaw_status thaw_do_final(thaw_plan *plan, const thaw_instruction *instruction)
{
    thaw_program_step *step = &plan->program.step;
    thaw_update_list_clear_held(step->updates, instruction->index);
    step->met = (size_t)(instruction - plan->program.instructions) + 1;
    return step->communicator ? thaw_shard_sum_send(step->sum, step->communicator, instruction->index,
                                                    plan->program.staged_values, step->factor)
                              : THAW_OK;
}

thaw_status thaw_do_sum(thaw_plan *plan, const thaw_instruction *instruction)
{
    (void)instruction;
    thaw_shard_sum_add(plan->program.step.sum, plan->program.staged_values, plan->program.step.factor);
    return THAW_OK;
}

thaw_status thaw_do_total(thaw_plan *plan, const thaw_instruction *instruction)
{
    (void)instruction;
    const thaw_program_step *step = &plan->program.step;
    thaw_shard_sum_store(step->sum, plan->program.staged_values);
    return THAW_OK;
}

thaw_status thaw_do_norm(thaw_plan *plan, const thaw_instruction *instruction)
{
    (void)instruction;
    thaw_program_step *step = &plan->program.step;
    step->norm = thaw_update_list_norm(step->updates);
    step->finite = isfinite(step->norm) && thaw_plan_statistics_finite(plan);
    return THAW_OK;
}

thaw_status thaw_do_check(thaw_plan *plan, const thaw_instruction *instruction)
{
    (void)instruction;
    thaw_program_step *step = &plan->program.step;
    /* A layer knows of its own shard. */
    const bool *known = plan->shards > 1 ? NULL : plan->finite;
    step->finite =
        ((plan->shards > 1 && thaw_shard_sum_is_finite(step->sum)) || thaw_update_list_finite(step->updates, known)) &&
        thaw_plan_statistics_finite(plan);
    return THAW_OK;
}

thaw_status thaw_do_update(thaw_plan *plan, const thaw_instruction *instruction)
{
    (void)instruction;
    const thaw_program_step *step = &plan->program.step;
    thaw_parameter_set *set = &plan->program.model->parameters;
    const thaw_status status = thaw_update_list_run(step->updates, step->rate_factor, step->gradient_scale);
    if (status != THAW_OK)
        return status;
    thaw_plan_take_statistics(plan);
    if (!thaw_update_list_suspect(step->updates)) {
        thaw_set_note_finite(set);
        return THAW_OK;
    }
    char what[96];
    snprintf(what, sizeof what, "step %" PRIu64 " made weights infinite or NaN, the learning rate may be too high",
             plan->model->steps + 1);
    return thaw_set_check_finite(set, what);
}
