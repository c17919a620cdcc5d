/* Making the update list. */
#include "update/update_list.h"

#include <string.h>

#include "core/allocation.h"
#include "core/context.h"
#include "params/suits.h"
#include "update/matrix_stage.h"
#include "update/state.h"
#include "update/sum_groups.h"
#include "update/wrappers.h"

enum { LINE = 16 /* floats in a cache line of 64 bytes: shares begin and end at one */ };

size_t thaw_update_list_floats(const thaw_update_list *list)
{
    size_t floats = 0;
    for (size_t i = 0; i < list->parameter_count; i++)
        floats += thaw_padded_floats(list->parameters[i]->count);
    return floats;
}

/* The floats of a parameter that are cut into shares: all, or none of what is not updated by element, or not wrapped. */
static size_t floats_of(const thaw_update_list *list, size_t index, bool all)
{
    const thaw_optimizer_module *module = list->modules[index];
    const bool updates = module ? module->update && !thaw_sums_in_groups(list, index) : !list->wrapped;
    return all || updates ? thaw_padded_floats(list->parameters[index]->count) : 0;
}

/* Cuts the parameters, laid end to end, into equal shares of whole cache lines, and of whole blocks where state is kept
   in blocks: all of them, or those that are updated element by element. */
static void cut_spans(thaw_update_list *list, bool all)
{
    const size_t threads = (size_t)list->threads;
    size_t floats = 0, parameter = 0, start = 0, at = 0; /* of the parameter, in elements laid end to end */
    for (size_t i = 0; i < list->parameter_count; i++)
        floats += floats_of(list, i, all);
    const size_t lines = floats / LINE;
    list->span_count = 0;
    for (size_t thread = 0; thread < threads; thread++) {
        const size_t end = lines * (thread + 1) / threads * LINE;
        list->first_span[thread] = list->span_count;
        while (at < end) {
            const size_t count = list->parameters[parameter]->count, past = start + floats_of(list, parameter, all);
            if (past == start) {
                parameter++;
                continue;
            }
            const size_t within = list->states[parameter] == THAW_F32 ? 0 : (end - start) % THAW_CODE_BLOCK;
            const size_t stop = past <= end ? past : end - within;
            if (stop <= at)
                break;
            const size_t begin = at - start, finish = stop - start < count ? stop - start : count;
            list->spans[list->span_count++] = (thaw_span){ parameter, begin, finish - begin };
            at = stop;
            if (at == past) {
                start = past;
                parameter++;
            }
        }
    }
    list->first_span[threads] = list->span_count;
}

static thaw_status cut_norm_blocks(thaw_update_list *list)
{
    for (size_t i = 0; i < list->parameter_count; i++)
        list->norm_count += thaw_norm_blocks_of(list->parameters[i]);
    list->norm_blocks = thaw_allocate_array(list->context, list->norm_count, sizeof *list->norm_blocks);
    list->norm_sums = thaw_allocate_array(list->context, list->norm_count, sizeof *list->norm_sums);
    if (!list->norm_blocks || !list->norm_sums)
        return THAW_OUT_OF_MEMORY;
    thaw_span *block = list->norm_blocks;
    for (size_t i = 0; i < list->parameter_count; i++) {
        const size_t count = list->parameters[i]->count;
        for (size_t begin = 0; begin < count; begin += THAW_NORM_BLOCK)
            *block++ = (thaw_span){ i, begin, count - begin < THAW_NORM_BLOCK ? count - begin : THAW_NORM_BLOCK };
    }
    return THAW_OK;
}

/* Parameters of one group with one step count share a rule; their counts advance together from here on. */
static void assign_rules(thaw_update_list *list)
{
    size_t rules = 0;
    for (size_t i = 0; i < list->parameter_count; i++) {
        const thaw_parameter *before = i ? list->parameters[i - 1] : NULL, *own = list->parameters[i];
        if (before && before->group == own->group && before->steps == own->steps &&
            list->modules[i - 1] == list->modules[i])
            list->rule_of[i] = rules - 1;
        else
            list->rule_of[i] = rules++;
    }
}

void thaw_update_list_move(const thaw_update_list *list, float *gradients)
{
    float *at = gradients ? gradients : list->gradients;
    for (size_t i = 0; i < list->parameter_count; i++) {
        list->parameters[i]->gradient = at;
        list->parameters[i]->gradient_rows.known = false;
        at += thaw_padded_floats(list->parameters[i]->count);
    }
}

static thaw_status make_sums(thaw_update_list *list)
{
    bool needed = false;
    for (size_t i = 0; i < list->parameter_count; i++)
        needed = needed || (list->modules[i] && list->modules[i]->conclude);
    if (!needed)
        return THAW_OK;
    list->block_sums = thaw_allocate_array(list->context, list->norm_count, sizeof *list->block_sums);
    list->parameter_sums = thaw_allocate_array(list->context, list->parameter_count, sizeof *list->parameter_sums);
    list->concluded = thaw_allocate_array(list->context, list->parameter_count, sizeof *list->concluded);
    const bool complete = list->block_sums && list->parameter_sums && list->concluded;
    return complete ? thaw_update_list_make_groups(list) : THAW_OUT_OF_MEMORY;
}

thaw_status thaw_update_list_make_stages(thaw_update_list *list)
{
    cut_spans(list, false);
    return make_sums(list);
}

static thaw_status fill(thaw_update_list *list, thaw_parameter *const *parameters, size_t room)
{
    if (list->parameter_count > 0)
        memcpy(list->parameters, parameters, list->parameter_count * sizeof *parameters);
    for (size_t i = 0; i < list->parameter_count; i++) {
        list->modules[i] = thaw_parameter_module(list->parameters[i]);
        list->states[i] = thaw_parameter_state_dtype(list->parameters[i]);
    }
    assign_rules(list);
    cut_spans(list, true);
    thaw_status status = cut_norm_blocks(list);
    if (status == THAW_OK)
        status = thaw_matrix_stage_create(list);
    if (status == THAW_OK)
        status = thaw_update_list_make_state(list, room);
    if (status == THAW_OK)
        status = thaw_update_list_make_stages(list);
    return status == THAW_OK ? thaw_update_list_make_wrappers(list) : status;
}

thaw_status thaw_update_list_allocate(thaw_update_list *list, thaw_context *context, size_t count)
{
    list->context = context;
    list->threads = context->most_threads;
    list->parameter_count = count;
    list->modules = thaw_allocate_array(context, count, sizeof(thaw_optimizer_module *));
    list->first_slot = thaw_allocate_array(context, count, sizeof *list->first_slot);
    list->states = thaw_allocate_array(context, count, sizeof *list->states);
    list->rules = thaw_allocate_array(context, count, sizeof *list->rules);
    list->spans = thaw_allocate_array(context, count + (size_t)list->threads, sizeof *list->spans);
    list->first_span = thaw_allocate_array(context, (size_t)list->threads + 1, sizeof *list->first_span);
    const bool complete =
        list->modules && list->first_slot && list->states && list->rules && list->spans && list->first_span;
    return complete ? THAW_OK : THAW_OUT_OF_MEMORY;
}

thaw_status thaw_update_list_create(thaw_context *context, thaw_parameter *const *parameters, size_t count, size_t room,
                                    thaw_update_list **list)
{
    *list = NULL;
    thaw_update_list *made = thaw_allocate(context, sizeof *made);
    if (!made)
        return THAW_OUT_OF_MEMORY;
    thaw_status status = thaw_update_list_allocate(made, context, count);
    made->parameters = thaw_allocate_array(context, count, sizeof *made->parameters);
    made->held = thaw_allocate_array(context, count, sizeof(uint64_t *));
    made->rule_of = thaw_allocate_array(context, count, sizeof *made->rule_of);
    if (!made->parameters || !made->held || !made->rule_of)
        status = THAW_OUT_OF_MEMORY;
    if (status == THAW_OK)
        status = fill(made, parameters, room);
    if (status != THAW_OK) {
        thaw_update_list_release(made);
        return status;
    }
    *list = made;
    return THAW_OK;
}

void thaw_update_list_leave(const thaw_update_list *list)
{
    for (size_t i = 0; list && i < list->parameter_count; i++)
        list->parameters[i]->gradient = NULL;
}

thaw_status thaw_update_list_enter(thaw_update_list *list)
{
    thaw_update_list_move(list, NULL);
    assign_rules(list);
    return thaw_update_list_make_missing(list);
}

thaw_status thaw_update_list_hold(thaw_update_list *list, size_t parameter, uint64_t *held)
{
    thaw_release(list->context, list->held[parameter]);
    list->held[parameter] = held;
    return held ? thaw_matrix_stage_keep(list, parameter) : THAW_OK;
}

/* What a list of wrappers has from the optimizers' list. */
static void release_shared(thaw_update_list *list)
{
    for (size_t i = 0; list->held && i < list->parameter_count; i++)
        thaw_release(list->context, list->held[i]);
    for (size_t i = 0; list->gradients && i < list->parameter_count; i++)
        list->parameters[i]->gradient = NULL;
    thaw_release(list->context, list->before_floats);
    thaw_release(list->context, list->before);
    thaw_release(list->context, list->norm_blocks);
    thaw_release(list->context, list->rule_of);
    thaw_release(list->context, list->held);
    thaw_release(list->context, list->gradients);
    thaw_release(list->context, list->parameters);
}

void thaw_update_list_release(thaw_update_list *list)
{
    if (!list)
        return;
    thaw_update_list_release(list->wrappers);
    thaw_matrix_stage_release(list);
    thaw_release(list->context, list->groups);
    thaw_release(list->context, list->concluded);
    thaw_release(list->context, list->parameter_sums);
    thaw_release(list->context, list->block_sums);
    thaw_release(list->context, list->norm_sums);
    thaw_release(list->context, list->first_span);
    thaw_release(list->context, list->spans);
    thaw_release(list->context, list->rules);
    thaw_release(list->context, list->states);
    thaw_release(list->context, list->first_slot);
    thaw_release(list->context, list->modules);
    if (!list->wrapped)
        release_shared(list);
    thaw_release(list->context, list);
}
