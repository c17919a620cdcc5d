#include "update/state.h"

#include <string.h>

#include "core/allocation.h"
#include "core/threads.h"
#include "params/suits.h"

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
    bool slot[THAW_MOST_SLOTS];
} fresh_slots;

/* Slots of another shape than the parameter's are cleared at once. */
static thaw_status allocate_missing(const thaw_update_list *list, size_t index, fresh_slots *fresh)
{
    thaw_parameter *parameter = list->parameters[index];
    for (size_t k = 0; k < THAW_MOST_SLOTS; k++) {
        if (parameter->slot[k] || !thaw_parameter_uses_slot(parameter, k))
            continue;
        const thaw_shape shape = thaw_parameter_slot_shape(parameter, k);
        const size_t bytes = thaw_parameter_slot_bytes(parameter, k);
        const bool whole = thaw_shape_equal(&shape, &parameter->shape);
        parameter->slot[k] = whole ? thaw_allocate_raw(list->context, bytes) : thaw_allocate(list->context, bytes);
        fresh->slot[k] = whole && parameter->slot[k];
        if (!parameter->slot[k])
            return THAW_OUT_OF_MEMORY;
    }
    return THAW_OK;
}

typedef struct clearing {
    const thaw_update_list *list;
    const fresh_slots *fresh;
} clearing;

static void clear_slot(const thaw_parameter *parameter, size_t slot, const thaw_span *span)
{
    thaw_kept_slot kept;
    if (thaw_parameter_kept_slot(parameter, slot, &kept))
        thaw_kept_slot_clear(&kept, span->begin, span->count);
    else
        memset((float *)parameter->slot[slot] + span->begin, 0, span->count * sizeof(float));
}

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
        for (size_t k = 0; k < THAW_MOST_SLOTS; k++)
            if (fresh->slot[k])
                clear_slot(parameter, k, span);
    }
}

thaw_status thaw_update_list_make_missing(const thaw_update_list *list)
{
    thaw_status status = THAW_OK;
    for (size_t i = 0; status == THAW_OK && i < list->parameter_count; i++) {
        const thaw_parameter *parameter = list->parameters[i];
        fresh_slots fresh = { 0 };
        status = allocate_missing(list, i, &fresh);
        for (size_t k = 0; k < THAW_MOST_SLOTS; k++)
            if (fresh.slot[k])
                memset(parameter->slot[k], 0, parameter->count * sizeof(float));
    }
    return status;
}

thaw_status thaw_update_list_make_state(thaw_update_list *list, size_t room)
{
    fresh_slots *fresh = thaw_allocate_array(list->context, list->parameter_count, sizeof *fresh);
    thaw_status status = fresh ? make_gradients(list, room) : THAW_OUT_OF_MEMORY;
    for (size_t i = 0; status == THAW_OK && i < list->parameter_count; i++)
        status = allocate_missing(list, i, &fresh[i]);
    /* Also after a failure: the parameters keep what they got. */
    if (list->gradients)
        thaw_parallel(list->context, clear_share, &(clearing){ list, fresh });
    thaw_release(list->context, fresh);
    return status;
}
