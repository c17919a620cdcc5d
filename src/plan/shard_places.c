#include "plan/shard_places.h"

#include "core/allocation.h"
#include "core/context.h"

/* Keeps what the place says of its shard. */
static void release_memory(thaw_context *context, thaw_shard_place *place)
{
    thaw_release(context, place->gradients);
    place->gradients = NULL;
    place->arena = NULL;
    place->arena_bytes = 0;
}

static thaw_status widen(thaw_context *context, thaw_shard_place *place, size_t gradients, size_t arena_bytes)
{
    const size_t before = thaw_align(gradients * sizeof(float));
    if (place->gradients && place->arena_bytes >= arena_bytes)
        return THAW_OK;
    release_memory(context, place);
    if (arena_bytes > SIZE_MAX - before - THAW_ALIGNMENT)
        return thaw_fail(context, THAW_OUT_OF_MEMORY, "a shard's gradients and values overflow a size");
    char *memory = thaw_allocate_raw(context, before + arena_bytes + THAW_ALIGNMENT);
    if (!memory)
        return THAW_OUT_OF_MEMORY;
    place->gradients = (float *)(void *)memory;
    place->arena = memory + before;
    place->arena_bytes = arena_bytes;
    return THAW_OK;
}

thaw_status thaw_shard_places_reserve(thaw_context *context, thaw_shard_places *places, size_t count, size_t gradients,
                                      size_t arena_bytes)
{
    thaw_shard_place *wider = thaw_grow(context, places->places, &places->capacity, count, sizeof *wider);
    if (!wider)
        return THAW_OUT_OF_MEMORY;
    places->places = wider;
    for (; places->count < count; places->count++)
        wider[places->count] = (thaw_shard_place){ .plan = NULL };
    thaw_status status = THAW_OK;
    for (size_t i = 1; i < count && status == THAW_OK; i++)
        status = widen(context, &wider[i], gradients, arena_bytes);
    return status;
}

void thaw_shard_places_release(thaw_context *context, thaw_shard_places *places)
{
    for (size_t i = 0; i < places->count; i++)
        release_memory(context, &places->places[i]);
    thaw_release(context, places->places);
    *places = (thaw_shard_places){ .places = NULL };
}
