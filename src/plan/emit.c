/* The last pass writes the program. It appends instructions in the order in which they are needed, and finally sorts
   them by section: frozen weights are packed before everything else. */
#include "plan/emit.h"

#include "core/allocation.h"
#include "plan/instruction.h"

/* Adds an instruction to section once, if it is not there yet. */
static void emit_once(thaw_plan *plan, thaw_instruction_kind kind, thaw_node node)
{
    const thaw_program *program = &plan->program;
    for (size_t i = 0; i < program->count; i++)
        if (program->instructions[i].kind == kind && program->instructions[i].node == node)
            return;
    thaw_emit_for_node(plan, THAW_SECTION_ONCE, kind, node);
}

/* ---- parameters ---- */

static bool is_evaluated(const thaw_program *program, const thaw_expression *expression)
{
    for (size_t i = 0; i < program->count; i++)
        if (program->instructions[i].expression == expression)
            return true;
    return false;
}

static void emit_values(thaw_plan *plan, thaw_section section, thaw_node index)
{
    const thaw_plan_node *planned = &plan->nodes[index];
    for (size_t k = 0; k < planned->use_count; k++)
        for (size_t i = 0; i < planned->uses[k].order_count; i++) {
            thaw_expression *expression = planned->uses[k].order[i];
            const bool changes = plan->training && thaw_plan_trainability(plan, expression) != THAW_FROZEN;
            if (!is_evaluated(&plan->program, expression))
                thaw_emit(plan, (thaw_instruction){ .kind = changes ? THAW_DO_REEVALUATE : THAW_DO_EVALUATE,
                                                    .section = changes ? section : THAW_SECTION_ONCE,
                                                    .node = index,
                                                    .expression = expression });
        }
}

bool thaw_plan_changes_each_step(const thaw_plan *plan, thaw_node index)
{
    const thaw_group *group = plan->model->nodes[index].group;
    const thaw_plan_node *planned = &plan->nodes[index];
    for (size_t k = 0; plan->training && group && k < group->parameter_count; k++)
        if (thaw_plan_trainability(plan, planned->uses[k].expression) != THAW_FROZEN)
            return true;
    return planned->follows;
}

/* Another plan may let go of what is frozen beside a parameter that trains. */
static bool has_frozen_parameter(const thaw_plan *plan, thaw_node index)
{
    const thaw_group *group = plan->model->nodes[index].group;
    for (size_t k = 0; k < group->parameter_count; k++)
        if (!thaw_parameter_trainable(group->parameters[k]))
            return true;
    return false;
}

/* Emits first the values of parameters, then their packed copies. */
static void emit_parameters(thaw_plan *plan, thaw_section section, thaw_node index)
{
    const thaw_graph_node *node = &plan->model->nodes[index];
    const bool changes = thaw_plan_changes_each_step(plan, index);
    emit_values(plan, section, index);
    const bool packs = node->module->pack && plan->nodes[index].needs.packed_bytes;
    plan->nodes[index].packs_once = packs && !changes;
    if (packs && changes)
        thaw_emit_for_node(plan, section, THAW_DO_REPACK, index);
    else if (packs)
        emit_once(plan, THAW_DO_PACK, index);
    else if (node->group && !changes)
        emit_once(plan, THAW_DO_RESTORE, index);
    else if (node->group && has_frozen_parameter(plan, index))
        thaw_emit_for_node(plan, section, THAW_DO_RESTORE, index);
}

/* ---- forward ---- */

static void emit_kernels(thaw_plan *plan, thaw_section section, thaw_node index)
{
    const thaw_layer_module *module = plan->model->nodes[index].module;
    const thaw_plan_node *planned = &plan->nodes[index];
    if (planned->masks && planned->fused_into >= 0)
        thaw_emit_for_node(plan, section, THAW_DO_MASK, index);
    if (!module || planned->needs.identity || planned->fused_into >= 0)
        return;
    if (planned->channel_map >= 0)
        emit_parameters(plan, section, planned->channel_map);
    emit_parameters(plan, section, index);
    if (planned->places.statistics >= 0)
        thaw_emit_for_node(plan, section, THAW_DO_STAGE, index);
    if (planned->forward_sums)
        thaw_emit_sharing(plan, section, index);
    if (!module->source)
        thaw_emit_for_node(plan, section, THAW_DO_FORWARD, index);
    if (planned->places.copy >= 0)
        thaw_emit_for_node(plan, section, THAW_DO_CONVERT, index);
    if (planned->masks)
        thaw_emit_for_node(plan, section, THAW_DO_MASK, index);
}

/* Emits order[first .. past); the loss has its own section. */
static void emit_forward(thaw_plan *plan, thaw_section section, size_t first, size_t past)
{
    for (size_t i = first; i < past; i++) {
        const thaw_layer_module *module = plan->model->nodes[plan->order[i]].module;
        const thaw_section own = module && module->loss ? THAW_SECTION_LOSS : section;
        if (i > 0)
            thaw_emit_poison(plan, own, i, i + 1);
        emit_kernels(plan, own, plan->order[i]);
    }
}

static void emit_tiles(thaw_plan *plan)
{
    thaw_program *program = &plan->program;
    thaw_emit_poison(plan, THAW_SECTION_PREFIX, plan->constant_count ? plan->constant_count : 1, plan->tiled_count);
    const size_t at = program->count;
    size_t nested = 0;
    thaw_emit_for_node(plan, THAW_SECTION_PREFIX, THAW_DO_TILES, -1);
    for (size_t i = plan->constant_count; i < plan->tiled_count; i++)
        emit_kernels(plan, THAW_SECTION_PREFIX, plan->order[i]);
    for (size_t i = at + 1; i < program->count; i++)
        nested += program->instructions[i].section == THAW_SECTION_PREFIX;
    if (!program->failed)
        program->instructions[at].nested = nested;
}

static bool is_boundary(const thaw_plan *plan, thaw_node origin)
{
    for (size_t i = 0; i < plan->cut_count; i++)
        if (plan->nodes[plan->order[i]].boundary && plan->nodes[plan->order[i]].origin == origin)
            return true;
    return false;
}

static void emit_fed(thaw_plan *plan, thaw_section section, bool input)
{
    for (size_t i = 0; i < plan->cut_count; i++) {
        const thaw_node origin = plan->order[i];
        if (plan->nodes[origin].converts_fed && (input ? origin == 0 : is_boundary(plan, origin)))
            thaw_emit_for_node(plan, section, THAW_DO_FEED, origin);
    }
}

/* Starts from samples, or from the feature cache. Both compute constants. */
static void emit_prefix(thaw_plan *plan)
{
    thaw_emit_poison(plan, THAW_SECTION_PREFIX, 0, 1);
    emit_fed(plan, THAW_SECTION_PREFIX, true);
    emit_forward(plan, THAW_SECTION_PREFIX, 0, plan->constant_count);
    if (plan->tiled_count > 0)
        emit_tiles(plan);
    emit_forward(plan, THAW_SECTION_PREFIX, plan->tiled_count > 0 ? plan->tiled_count : plan->constant_count,
                 plan->cut_count);
    if (!plan->cuts || thaw_plan_cache_bytes(plan) == 0)
        return;
    thaw_emit_for_node(plan, THAW_SECTION_KEEP, THAW_DO_KEEP, -1);
    thaw_emit_poison(plan, THAW_SECTION_CACHED, 0, 1);
    emit_fed(plan, THAW_SECTION_CACHED, false);
    emit_forward(plan, THAW_SECTION_CACHED, 0, plan->constant_count);
}

/* Sorts instructions by section. */
static thaw_status sort_sections(thaw_plan *plan)
{
    thaw_program *program = &plan->program;
    thaw_instruction *sorted = thaw_allocate_array(plan->model->context, program->count + 1, sizeof *sorted);
    if (!sorted)
        return THAW_OUT_OF_MEMORY;
    size_t count = 0;
    for (thaw_section section = 0; section < THAW_SECTIONS; section++) {
        program->first[section] = count;
        for (size_t i = 0; i < program->count; i++)
            if (program->instructions[i].section == section)
                sorted[count++] = program->instructions[i];
    }
    program->first[THAW_SECTIONS] = count;
    thaw_release(plan->model->context, program->instructions);
    program->instructions = sorted;
    return THAW_OK;
}

thaw_status thaw_pass_emit(thaw_plan *plan)
{
    thaw_status status = THAW_OK;
    emit_prefix(plan);
    emit_forward(plan, THAW_SECTION_FORWARD, plan->cut_count, plan->order_count);
    if (plan->training) {
        status = thaw_emit_backward(plan);
        if (plan->shards > 1) {
            thaw_emit_for_node(plan, THAW_SECTION_SUM, THAW_DO_SUM, -1);
            thaw_emit_for_node(plan, THAW_SECTION_TOTAL, THAW_DO_TOTAL, -1);
        }
        thaw_emit_for_node(plan, THAW_SECTION_CLIP, THAW_DO_NORM, -1);
        thaw_emit_for_node(plan, THAW_SECTION_CHECK, THAW_DO_CHECK, -1);
        thaw_emit_for_node(plan, THAW_SECTION_UPDATE, THAW_DO_UPDATE, -1);
    }
    if (status == THAW_OK && plan->program.failed)
        status = THAW_OUT_OF_MEMORY;
    if (status == THAW_OK)
        status = sort_sections(plan);
    return status == THAW_OK ? thaw_program_reserve(plan) : status;
}
