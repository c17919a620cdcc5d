/* Making the update list. */
#include "update/update_list.h"

#include <string.h>

#include "core/allocation.h"
#include "core/context.h"
#include "core/threads.h"
#include "params/optimizer.h"

enum { LINE = 16 /* floats in a cache line of 64 bytes: shares begin and end at one */ };

size_t thaw_update_list_floats(const thaw_update_list *list)
{
    size_t floats = 0;
    for (size_t i = 0; i < list->parameter_count; i++)
        floats += thaw_padded_floats(list->parameters[i]->count);
    return floats;
}

/* Cuts the parameters, laid end to end, into equal shares of whole cache lines. */
static void cut_spans(thaw_update_list *list)
{
    const size_t lines = thaw_update_list_floats(list) / LINE, threads = (size_t)list->threads;
    size_t parameter = 0, start = 0; /* of the parameter, in elements laid end to end */
    for (size_t thread = 0; thread < threads; thread++) {
        const size_t end = lines * (thread + 1) / threads * LINE;
        size_t at = lines * thread / threads * LINE;
        list->first_span[thread] = list->span_count;
        while (at < end) {
            const size_t count = list->parameters[parameter]->count, past = start + thaw_padded_floats(count);
            const size_t stop = past < end ? past : end;
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
        if (before && before->group == own->group && before->steps == own->steps)
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

/* Sizes cannot overflow: the parameters are in memory. */
static thaw_status make_gradients(thaw_update_list *list, size_t room)
{
    const size_t floats = thaw_update_list_floats(list);
    list->gradients = thaw_allocate_raw(list->context, (floats + room) * sizeof(float));
    if (!list->gradients)
        return THAW_OUT_OF_MEMORY;
    memset(list->gradients + floats, 0, room * sizeof(float));
    thaw_update_list_move(list, NULL);
    return THAW_OK;
}

/* Which slots of a parameter are new, to be cleared by the threads that will use them. */
typedef struct fresh_slots {
    bool slot[THAW_MAX_SLOTS];
} fresh_slots;

static thaw_status allocate_missing(thaw_context *context, thaw_parameter *parameter, fresh_slots *fresh)
{
    const size_t bytes = parameter->count * sizeof(float);
    const thaw_optimizer *optimizer = parameter->group->optimizer;
    for (size_t k = 0; optimizer && k < optimizer->module->slot_count; k++) {
        if (parameter->slot[k] || !thaw_optimizer_uses_slot(optimizer, k))
            continue;
        parameter->slot[k] = thaw_allocate_raw(context, bytes);
        fresh->slot[k] = parameter->slot[k] != NULL;
        if (!fresh->slot[k])
            return THAW_OUT_OF_MEMORY;
    }
    return THAW_OK;
}

static thaw_status make_sums(thaw_update_list *list)
{
    bool needed = false;
    for (size_t i = 0; i < list->parameter_count; i++) {
        const thaw_optimizer *optimizer = list->parameters[i]->group->optimizer;
        needed = needed || (optimizer && optimizer->module->sums);
    }
    if (!needed)
        return THAW_OK;
    list->block_sums = thaw_allocate_array(list->context, list->norm_count, sizeof *list->block_sums);
    list->parameter_sums = thaw_allocate_array(list->context, list->parameter_count, sizeof *list->parameter_sums);
    list->concluded = thaw_allocate_array(list->context, list->parameter_count, sizeof *list->concluded);
    return list->block_sums && list->parameter_sums && list->concluded ? THAW_OK : THAW_OUT_OF_MEMORY;
}

typedef struct clearing {
    const thaw_update_list *list;
    const fresh_slots *fresh;
} clearing;

static void clear_share(void *argument, int thread, int threads)
{
    const clearing *cleared = argument;
    size_t first, past;
    thaw_share_of(cleared->list, thread, threads, &first, &past);
    for (size_t i = first; i < past; i++) {
        const thaw_span *span = &cleared->list->spans[i];
        const thaw_parameter *parameter = cleared->list->parameters[span->parameter];
        const fresh_slots *fresh = &cleared->fresh[span->parameter];
        memset(parameter->gradient + span->begin, 0, thaw_padded_floats(span->count) * sizeof(float));
        for (size_t k = 0; k < THAW_MAX_SLOTS; k++)
            if (fresh->slot[k])
                memset(parameter->slot[k] + span->begin, 0, span->count * sizeof(float));
    }
}

static thaw_status make_state(thaw_update_list *list, size_t room)
{
    fresh_slots *fresh = thaw_allocate_array(list->context, list->parameter_count, sizeof *fresh);
    thaw_status status = fresh ? make_gradients(list, room) : THAW_OUT_OF_MEMORY;
    for (size_t i = 0; status == THAW_OK && i < list->parameter_count; i++)
        status = allocate_missing(list->context, list->parameters[i], &fresh[i]);
    /* Also after a failure: the parameters keep what they got. */
    if (list->gradients)
        thaw_parallel(list->context, clear_share, &(clearing){ list, fresh });
    thaw_release(list->context, fresh);
    return status;
}

thaw_status thaw_update_list_create(thaw_context *context, thaw_parameter *const *parameters, size_t count, size_t room,
                                    thaw_update_list **list)
{
    *list = NULL;
    thaw_update_list *made = thaw_allocate(context, sizeof *made);
    if (!made)
        return THAW_OUT_OF_MEMORY;
    made->context = context;
    made->threads = context->most_threads;
    made->parameter_count = count;
    made->parameters = thaw_allocate_array(context, count, sizeof *made->parameters);
    made->held = thaw_allocate_array(context, count, sizeof(uint64_t *));
    made->rule_of = thaw_allocate_array(context, count, sizeof *made->rule_of);
    made->rules = thaw_allocate_array(context, count, sizeof *made->rules);
    made->spans = thaw_allocate_array(context, count + (size_t)made->threads, sizeof *made->spans);
    made->first_span = thaw_allocate_array(context, (size_t)made->threads + 1, sizeof *made->first_span);
    thaw_status status = THAW_OUT_OF_MEMORY;
    if (made->parameters && made->held && made->rule_of && made->rules && made->spans && made->first_span) {
        if (count > 0)
            memcpy(made->parameters, parameters, count * sizeof *parameters);
        cut_spans(made);
        assign_rules(made);
        status = cut_norm_blocks(made);
        if (status == THAW_OK)
            status = make_sums(made);
        if (status == THAW_OK)
            status = make_state(made, room);
    }
    if (status != THAW_OK) {
        thaw_update_list_release(made);
        return status;
    }
    *list = made;
    return THAW_OK;
}

void thaw_update_list_hold(thaw_update_list *list, size_t parameter, uint64_t *held)
{
    thaw_release(list->context, list->held[parameter]);
    list->held[parameter] = held;
}

void thaw_update_list_release(thaw_update_list *list)
{
    if (!list)
        return;
    thaw_release(list->context, list->concluded);
    thaw_release(list->context, list->parameter_sums);
    thaw_release(list->context, list->block_sums);
    thaw_release(list->context, list->norm_sums);
    thaw_release(list->context, list->norm_blocks);
    thaw_release(list->context, list->first_span);
    thaw_release(list->context, list->spans);
    thaw_release(list->context, list->rules);
    thaw_release(list->context, list->rule_of);
    for (size_t i = 0; list->held && i < list->parameter_count; i++)
        thaw_release(list->context, list->held[i]);
    thaw_release(list->context, list->held);
    for (size_t i = 0; list->gradients && i < list->parameter_count; i++)
        list->parameters[i]->gradient = NULL;
    thaw_release(list->context, list->gradients);
    thaw_release(list->context, list->parameters);
    thaw_release(list->context, list);
}
