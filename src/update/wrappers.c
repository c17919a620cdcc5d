#include "update/wrappers.h"

#include <string.h>

#include "core/allocation.h"
#include "core/threads.h"
#include "params/suits.h"
#include "update/piece.h"

/* ---- making them ---- */

/* The wrapper of a parameter that has so many within it, or NULL. */
static const thaw_optimizer *wrapper_of(const thaw_parameter *parameter, size_t within)
{
    const thaw_optimizer *wrapper = parameter->group->optimizer ? parameter->group->optimizer->wrapper : NULL;
    for (; wrapper && within > 0; within--)
        wrapper = wrapper->wrapper;
    return wrapper;
}

static size_t level_of(const thaw_update_list *list)
{
    size_t level = 0;
    for (const thaw_update_list *one = list->wrapped->wrappers; one != list; one = one->wrappers)
        level++;
    return level;
}

const thaw_optimizer *thaw_wrapper_at(const thaw_update_list *list, size_t index)
{
    return wrapper_of(list->parameters[index], level_of(list));
}

static bool has_level(const thaw_update_list *list, size_t level)
{
    for (size_t i = 0; i < list->parameter_count; i++)
        if (wrapper_of(list->parameters[i], level))
            return true;
    return false;
}

static thaw_status make_level(thaw_update_list *within, thaw_update_list *optimizers, size_t level)
{
    thaw_update_list *made = within->wrappers = thaw_allocate(within->context, sizeof *made);
    if (!made)
        return THAW_OUT_OF_MEMORY;
    made->wrapped = optimizers;
    made->parameters = optimizers->parameters;
    made->held = optimizers->held;
    made->rule_of = optimizers->rule_of;
    made->norm_blocks = optimizers->norm_blocks;
    made->norm_count = optimizers->norm_count;
    made->gradient_scale = 1;
    const thaw_status status = thaw_update_list_allocate(made, optimizers->context, optimizers->parameter_count);
    if (status != THAW_OK)
        return status;
    for (size_t i = 0; i < made->parameter_count; i++) {
        const thaw_optimizer *wrapper = wrapper_of(made->parameters[i], level);
        made->modules[i] = wrapper ? wrapper->module : NULL;
        made->first_slot[i] = within->first_slot[i] + (within->modules[i] ? within->modules[i]->slot_count : 0);
    }
    return thaw_update_list_make_stages(made);
}

/* Whether its values before a step are kept. */
static bool compares(const thaw_parameter *parameter)
{
    return parameter->group->optimizer && thaw_optimizer_copies(parameter->group->optimizer);
}

static thaw_status make_before(thaw_update_list *list)
{
    size_t floats = 0;
    for (size_t i = 0; i < list->parameter_count; i++)
        floats += compares(list->parameters[i]) ? thaw_padded_floats(list->parameters[i]->count) : 0;
    if (floats == 0)
        return THAW_OK;
    list->before = thaw_allocate_array(list->context, list->parameter_count, sizeof(float *));
    list->before_floats = thaw_allocate_raw(list->context, floats * sizeof(float));
    if (!list->before || !list->before_floats)
        return THAW_OUT_OF_MEMORY;
    float *at = list->before_floats;
    for (size_t i = 0; i < list->parameter_count; i++)
        if (compares(list->parameters[i])) {
            list->before[i] = at;
            at += thaw_padded_floats(list->parameters[i]->count);
        }
    return THAW_OK;
}

thaw_status thaw_update_list_make_wrappers(thaw_update_list *list)
{
    thaw_status status = make_before(list);
    thaw_update_list *within = list;
    for (size_t level = 0; status == THAW_OK && has_level(list, level); level++) {
        status = make_level(within, list, level);
        within = within->wrappers;
        if (status == THAW_OK)
            within->before = list->before;
    }
    return status;
}

/* ---- before the step ---- */

static bool begins_slot(const thaw_update_list *level, size_t index)
{
    const thaw_optimizer_module *module = level->modules[index];
    const uint64_t *steps = level->parameters[index]->slot_steps + level->first_slot[index];
    for (size_t k = 0; module && module->begin && k < module->slot_count; k++)
        if (steps[k] == 1)
            return true;
    return false;
}

static void begin_share(void *argument, int thread, int threads)
{
    const thaw_update_list *list = argument;
    const size_t first = list->norm_count * (size_t)thread / (size_t)threads;
    const size_t past = list->norm_count * ((size_t)thread + 1) / (size_t)threads;
    for (size_t i = first; i < past; i++) {
        const thaw_span *block = &list->norm_blocks[i];
        const size_t index = block->parameter;
        if (list->before && list->before[index])
            memcpy(list->before[index] + block->begin, list->parameters[index]->data + block->begin,
                   block->count * sizeof(float));
        for (const thaw_update_list *level = list->wrappers; level; level = level->wrappers)
            if (begins_slot(level, index)) {
                const thaw_update piece = thaw_piece_of(level, index, block->begin, block->count);
                thaw_piece_begin_slots(level, index, &piece);
            }
    }
}

void thaw_update_list_begin_wrappers(thaw_update_list *list)
{
    bool needed = list->before != NULL;
    for (const thaw_update_list *level = list->wrappers; level && !needed; level = level->wrappers)
        for (size_t i = 0; i < list->parameter_count && !needed; i++)
            needed = begins_slot(level, i);
    if (needed)
        thaw_parallel(list->context, begin_share, list);
}
