/* Lists that a program needs besides its instructions: feeds, watched parameters, moved pointers, staged statistics. */
#include "plan/emit.h"

static size_t count_sources(const thaw_plan *plan)
{
    size_t count = 0;
    for (size_t i = 0; i < plan->order_count; i++)
        count += plan->nodes[plan->order[i]].source_count;
    return count;
}

/* Feeds for the values at the cut and for the input. The input comes last: it is fed even if it is at the cut. */
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

/* Lists all parameters that a step of this plan does not change. */
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

/* Makes room for the statistics of all nodes that follow the batches. */
static thaw_status reserve_staged(thaw_plan *plan)
{
    size_t count = 0;
    for (size_t i = plan->prefix_count; i < plan->order_count; i++)
        if (plan->nodes[plan->order[i]].places.statistics >= 0)
            count += plan->model->nodes[plan->order[i]].group->parameter_count;
    if (count == 0)
        return THAW_OK;
    plan->program.staged = thaw_allocate_array(plan->model->context, count, sizeof(thaw_staged));
    plan->program.staged_values = thaw_allocate_array(plan->model->context, count, sizeof(float *));
    return plan->program.staged && plan->program.staged_values ? THAW_OK : THAW_OUT_OF_MEMORY;
}

thaw_status thaw_program_reserve(thaw_plan *plan)
{
    thaw_status status = reserve_feeds(plan);
    if (status == THAW_OK)
        status = list_watched(plan);
    if (status == THAW_OK)
        status = reserve_moved(plan);
    if (status == THAW_OK)
        status = reserve_second_runs(plan);
    return status == THAW_OK ? reserve_staged(plan) : status;
}

void thaw_program_release(thaw_context *context, thaw_program *program)
{
    thaw_release(context, (void *)program->staged_values);
    thaw_release(context, program->staged);
    thaw_release(context, program->second_runs);
    thaw_release(context, program->moved);
    thaw_release(context, program->watched);
    thaw_release(context, program->readers);
    thaw_release(context, program->feeds);
    thaw_release(context, program->instructions);
}
