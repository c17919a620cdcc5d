/* The last pass: the program, from what the others have decided. Each instruction stands in the order of running; sections
   are sorted afterwards, since packing what is frozen is met where it is first needed, and runs before all else. */
#include "core/allocation.h"
#include "plan/sharing.h"

static void emit(thaw_plan *plan, thaw_instruction instruction)
{
    thaw_program *program = &plan->program;
    thaw_instruction *grown = program->failed ? NULL
                                              : thaw_grow(plan->model->context, program->instructions,
                                                          &program->capacity, program->count + 1, sizeof *grown);
    program->failed = !grown;
    if (!grown)
        return;
    program->instructions = grown;
    grown[program->count++] = instruction;
}

static void emit_for_node(thaw_plan *plan, thaw_section section, thaw_instruction_kind kind, thaw_node node)
{
    emit(plan, (thaw_instruction){ .kind = kind, .section = section, .node = node });
}

/* Into the section that runs once, where it is needed once. */
static void emit_once(thaw_plan *plan, thaw_instruction_kind kind, thaw_node node)
{
    const thaw_program *program = &plan->program;
    for (size_t i = 0; i < program->count; i++)
        if (program->instructions[i].kind == kind && program->instructions[i].node == node)
            return;
    emit_for_node(plan, THAW_SECTION_ONCE, kind, node);
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
            const bool changes = plan->training && thaw_expression_wants_gradient(expression);
            if (!is_evaluated(&plan->program, expression))
                emit(plan, (thaw_instruction){ .kind = changes ? THAW_DO_REEVALUATE : THAW_DO_EVALUATE,
                                               .section = changes ? section : THAW_SECTION_ONCE,
                                               .node = index,
                                               .expression = expression });
        }
}

/* Whether what the layer gets for its parameters, those of a low-rank change apart, is another in each step. */
static bool changes_each_step(const thaw_plan *plan, thaw_node index)
{
    const thaw_group *group = plan->model->nodes[index].group;
    const thaw_plan_node *planned = &plan->nodes[index];
    for (size_t k = 0; plan->training && group && k < group->parameter_count; k++)
        if (thaw_expression_wants_gradient(planned->uses[k].expression))
            return true;
    return planned->follows;
}

/* Values of parameters, then the copies of them in the layouts of kernels. */
static void emit_parameters(thaw_plan *plan, thaw_section section, thaw_node index)
{
    const thaw_graph_node *node = &plan->model->nodes[index];
    const bool changes = changes_each_step(plan, index);
    emit_values(plan, section, index);
    const bool packs = node->module->pack && plan->nodes[index].needs.packed_bytes;
    if (packs && changes)
        emit_for_node(plan, section, THAW_DO_REPACK, index);
    else if (packs)
        emit_once(plan, THAW_DO_PACK, index);
    else if (node->group && !changes)
        emit_once(plan, THAW_DO_RESTORE, index);
}

/* In builds for tests: what begins to be used at a time of [first, past), see buffers.c, holds NaN until it is written. */
static void emit_poison(thaw_plan *plan, thaw_section section, size_t first, size_t past)
{
#ifdef THAW_POISON
    emit(plan,
         (thaw_instruction){ .kind = THAW_DO_POISON, .section = section, .node = -1, .index = first, .past = past });
#else
    (void)plan, (void)section, (void)first, (void)past;
#endif
}

static void emit_poison_of_gradients(thaw_plan *plan)
{
#ifdef THAW_POISON
    emit_for_node(plan, THAW_SECTION_BACKWARD, THAW_DO_POISON_GRADIENTS, -1);
#else
    (void)plan;
#endif
}

/* ---- forward ---- */

static void emit_kernels(thaw_plan *plan, thaw_section section, thaw_node index)
{
    const thaw_layer_module *module = plan->model->nodes[index].module;
    const thaw_plan_node *planned = &plan->nodes[index];
    if (planned->masks && planned->fused_into >= 0)
        emit_for_node(plan, section, THAW_DO_MASK, index);
    if (!module || planned->needs.identity || planned->fused_into >= 0)
        return;
    if (planned->channel_map >= 0)
        emit_parameters(plan, section, planned->channel_map);
    emit_parameters(plan, section, index);
    if (planned->places.statistics >= 0)
        emit_for_node(plan, section, THAW_DO_STAGE, index);
    if (!module->source)
        emit_for_node(plan, section, THAW_DO_FORWARD, index);
    if (planned->places.copy >= 0)
        emit_for_node(plan, section, THAW_DO_CONVERT, index);
    if (planned->masks)
        emit_for_node(plan, section, THAW_DO_MASK, index);
}

/* order[first .. past), of which the loss goes into its own section. */
static void emit_forward(thaw_plan *plan, thaw_section section, size_t first, size_t past)
{
    for (size_t i = first; i < past; i++) {
        const thaw_layer_module *module = plan->model->nodes[plan->order[i]].module;
        const thaw_section own = module && module->loss ? THAW_SECTION_LOSS : section;
        if (i > 0)
            emit_poison(plan, own, i, i + 1);
        emit_kernels(plan, own, plan->order[i]);
    }
}

static void emit_tiles(thaw_plan *plan)
{
    thaw_program *program = &plan->program;
    emit_poison(plan, THAW_SECTION_PREFIX, plan->fixed_count ? plan->fixed_count : 1, plan->tiled_count);
    const size_t at = program->count;
    size_t nested = 0;
    emit_for_node(plan, THAW_SECTION_PREFIX, THAW_DO_TILES, -1);
    for (size_t i = plan->fixed_count; i < plan->tiled_count; i++)
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
            emit_for_node(plan, section, THAW_DO_FEED, origin);
    }
}

/* From samples, or from what the feature cache kept; constants are computed for both. */
static void emit_prefix(thaw_plan *plan)
{
    emit_poison(plan, THAW_SECTION_PREFIX, 0, 1);
    emit_fed(plan, THAW_SECTION_PREFIX, true);
    emit_forward(plan, THAW_SECTION_PREFIX, 0, plan->fixed_count);
    if (plan->tiled_count > 0)
        emit_tiles(plan);
    emit_forward(plan, THAW_SECTION_PREFIX, plan->tiled_count > 0 ? plan->tiled_count : plan->fixed_count,
                 plan->cut_count);
    if (!plan->training || thaw_plan_cache_bytes(plan) == 0)
        return;
    emit_for_node(plan, THAW_SECTION_KEEP, THAW_DO_KEEP, -1);
    emit_poison(plan, THAW_SECTION_CACHED, 0, 1);
    emit_fed(plan, THAW_SECTION_CACHED, false);
    emit_forward(plan, THAW_SECTION_CACHED, 0, plan->fixed_count);
}

/* ---- backward ---- */

bool thaw_plan_runs_backward(const thaw_plan *plan, thaw_node index)
{
    const thaw_plan_node *planned = &plan->nodes[index];
    if (!planned->carries || planned->needs.identity || planned->absorbed)
        return false;
    for (size_t k = 0; k < THAW_MAX_INPUTS; k++)
        if (planned->input_gradient[k])
            return true;
    return planned->trains;
}

static void emit_recomputations(thaw_plan *plan, thaw_node index)
{
    const size_t now = 2 * plan->order_count - 1 - plan->position[index];
    for (size_t i = plan->prefix_count; i <= plan->position[index]; i++) {
        const thaw_node root = plan->order[i];
        if (!plan->nodes[root].recomputed || plan->requests[plan->nodes[root].places.again].first != now)
            continue;
        for (size_t k = i; k < plan->order_count; k++) {
            const thaw_plan_node *planned = &plan->nodes[plan->order[k]];
            if (planned->root == root && !planned->needs.identity && !planned->absorbed)
                emit_for_node(plan, THAW_SECTION_BACKWARD, THAW_DO_RECOMPUTE, plan->order[k]);
        }
    }
}

static void emit_terms(thaw_plan *plan, thaw_node index)
{
    const thaw_plan_node *planned = &plan->nodes[index];
    for (size_t k = 0; k < planned->use_count; k++)
        for (size_t i = planned->uses[k].first_term; i < planned->uses[k].past_term; i++)
            emit(plan, (thaw_instruction){ .kind = plan->terms[i].expression ? THAW_DO_HAND_ON : THAW_DO_ACCUMULATE,
                                           .section = THAW_SECTION_BACKWARD,
                                           .node = index,
                                           .index = i });
}

/* What the node wrote beside the gradients of its inputs is added to them, or converted. */
static void emit_spares(thaw_plan *plan, thaw_node index)
{
    const thaw_plan_node *planned = &plan->nodes[index];
    for (size_t k = 0; k < planned->source_count; k++)
        if (planned->adds_gradient[k] || planned->places.spare[k] >= 0)
            emit(plan, (thaw_instruction){ .kind = planned->adds_gradient[k] ? THAW_DO_ADD : THAW_DO_CONVERT,
                                           .section = THAW_SECTION_BACKWARD,
                                           .node = index,
                                           .index = k });
}

static void emit_backward(thaw_plan *plan, thaw_node index)
{
    const size_t time = 2 * plan->order_count - 1 - plan->position[index];
    emit_poison(plan, THAW_SECTION_BACKWARD, time, time + 1);
    emit_recomputations(plan, index);
    if (plan->nodes[index].masks)
        emit_for_node(plan, THAW_SECTION_BACKWARD, THAW_DO_UNMASK, index);
    else if (thaw_plan_runs_backward(plan, index))
        emit_for_node(plan, THAW_SECTION_BACKWARD, THAW_DO_BACKWARD, index);
    emit_terms(plan, index);
    emit_spares(plan, index);
}

static void take_last(thaw_node *last, const thaw_plan *plan, const thaw_parameter *parameter, thaw_node index)
{
    for (size_t i = 0; i < plan->trained_count; i++)
        if (plan->trained[i] == parameter && last[i] < 0)
            last[i] = index;
}

/* Which node is the last to add to each gradient; nodes run backward from the end of the order. */
static void find_last_terms(const thaw_plan *plan, thaw_node *last)
{
    for (size_t i = 0; i < plan->trained_count; i++)
        last[i] = -1;
    for (size_t i = plan->prefix_count; i < plan->order_count; i++) {
        const thaw_plan_node *planned = &plan->nodes[plan->order[i]];
        for (size_t k = 0; k < planned->use_count; k++) {
            const thaw_plan_use *use = &planned->uses[k];
            if (use->gradient && use->buffer < 0)
                take_last(last, plan, use->expression->parameter, plan->order[i]);
            for (size_t t = use->first_term; t < use->past_term; t++)
                if (plan->terms[t].parameter)
                    take_last(last, plan, plan->terms[t].parameter, plan->order[i]);
        }
    }
}

static thaw_status emit_all_backward(thaw_plan *plan)
{
    thaw_node *last = thaw_allocate_array(plan->model->context, plan->trained_count + 1, sizeof *last);
    if (!last)
        return THAW_OUT_OF_MEMORY;
    find_last_terms(plan, last);
    emit_poison_of_gradients(plan);
    for (size_t i = plan->order_count; i-- > plan->prefix_count;) {
        emit_backward(plan, plan->order[i]);
        for (size_t k = 0; k < plan->trained_count; k++)
            if (last[k] == plan->order[i])
                emit(plan,
                     (thaw_instruction){
                         .kind = THAW_DO_FINAL, .section = THAW_SECTION_BACKWARD, .node = plan->order[i], .index = k });
    }
    thaw_release(plan->model->context, last);
    return THAW_OK;
}

/* ---- what running needs beside the list ---- */

static size_t count_sources(const thaw_plan *plan)
{
    size_t count = 0;
    for (size_t i = 0; i < plan->order_count; i++)
        count += plan->nodes[plan->order[i]].source_count;
    return count;
}

/* Of the input, which comes last, so that it is fed even where it is at the cut as well; and of the values at the cut. */
static thaw_status reserve_feeds(thaw_plan *plan)
{
    thaw_program *program = &plan->program;
    thaw_context *context = plan->model->context;
    size_t most = 1;
    for (size_t i = 0; i < plan->cut_count; i++)
        most += plan->nodes[plan->order[i]].boundary;
    program->feeds = thaw_allocate_array(context, most, sizeof *program->feeds);
    program->readers = thaw_allocate_array(context, 2 * most * count_sources(plan) + 1, sizeof *program->readers);
    if (!program->feeds || !program->readers)
        return THAW_OUT_OF_MEMORY;
    for (size_t i = 0; i < plan->cut_count; i++)
        if (plan->nodes[plan->order[i]].boundary)
            program->feeds[program->feed_count++] = (thaw_feed){ .node = plan->order[i], .boundary = true };
    program->feeds[program->feed_count++] = (thaw_feed){ .node = 0 };
    return THAW_OK;
}

static bool is_watched(const thaw_plan *plan, const thaw_parameter *parameter)
{
    if (thaw_plan_trains(plan, parameter))
        return false;
    for (size_t i = 0; i < plan->order_count && parameter->role == THAW_STATISTIC; i++)
        if (plan->nodes[plan->order[i]].follows && plan->model->nodes[plan->order[i]].group == parameter->group)
            return false;
    return true;
}

/* All parameters but those that a step of this plan changes itself. */
static thaw_status list_watched(thaw_plan *plan)
{
    const thaw_parameter_set *set = &plan->model->parameters;
    thaw_program *program = &plan->program;
    program->watched = thaw_allocate_array(set->context, set->parameter_count + 1, sizeof(thaw_parameter *));
    for (size_t i = 0; program->watched && i < set->parameter_count; i++)
        if (is_watched(plan, set->parameters[i]))
            program->watched[program->watched_count++] = set->parameters[i];
    return program->watched ? THAW_OK : THAW_OUT_OF_MEMORY;
}

static thaw_status reserve_moved(thaw_plan *plan)
{
    const size_t most = count_sources(plan) + 4 * plan->tiled_count;
    plan->program.moved = thaw_allocate_array(plan->model->context, most + 1, sizeof *plan->program.moved);
    return plan->program.moved ? THAW_OK : THAW_OUT_OF_MEMORY;
}

/* Whether the node reads or writes a value that is computed again. */
static bool has_second_place(const thaw_plan *plan, const thaw_plan_node *planned)
{
    bool has = plan->nodes[planned->root].recomputed;
    for (size_t k = 0; k < planned->source_count; k++)
        has = has || plan->nodes[plan->nodes[planned->sources[k]].root].recomputed;
    return has;
}

static thaw_status reserve_second_runs(thaw_plan *plan)
{
    size_t count = 0;
    for (size_t i = plan->prefix_count; i < plan->order_count; i++)
        count += has_second_place(plan, &plan->nodes[plan->order[i]]);
    if (count == 0)
        return THAW_OK;
    plan->program.second_runs = thaw_allocate_array(plan->model->context, count, sizeof(thaw_second_run));
    if (!plan->program.second_runs)
        return THAW_OUT_OF_MEMORY;
    count = 0;
    for (size_t i = plan->prefix_count; i < plan->order_count; i++)
        if (has_second_place(plan, &plan->nodes[plan->order[i]]))
            plan->nodes[plan->order[i]].bound.second = &plan->program.second_runs[count++];
    return THAW_OK;
}

/* Brings the instructions into the order of their sections. */
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
        status = emit_all_backward(plan);
        emit_for_node(plan, THAW_SECTION_CLIP, THAW_DO_NORM, -1);
        emit_for_node(plan, THAW_SECTION_CHECK, THAW_DO_CHECK, -1);
        emit_for_node(plan, THAW_SECTION_UPDATE, THAW_DO_UPDATE, -1);
    }
    if (status == THAW_OK && plan->program.failed)
        status = THAW_OUT_OF_MEMORY;
    if (status == THAW_OK)
        status = sort_sections(plan);
    if (status == THAW_OK)
        status = reserve_feeds(plan);
    if (status == THAW_OK)
        status = list_watched(plan);
    if (status == THAW_OK)
        status = reserve_moved(plan);
    return status == THAW_OK ? reserve_second_runs(plan) : status;
}

void thaw_program_release(thaw_context *context, thaw_program *program)
{
    thaw_release(context, program->second_runs);
    thaw_release(context, program->moved);
    thaw_release(context, program->watched);
    thaw_release(context, program->readers);
    thaw_release(context, program->feeds);
    thaw_release(context, program->instructions);
}
