#include "data/text/vocabulary.h"

#include <inttypes.h>
#include <string.h>

#include "core/allocation.h"
#include "data/text/hash.h"

static bool is_same(const char *other, const char *token, size_t bytes)
{
    return strnlen(other, bytes + 1) == bytes && memcmp(other, token, bytes) == 0;
}

/* The slot of a token, or the empty one where it would be. */
static size_t find_slot(const thaw_vocabulary *v, const char *token, size_t bytes)
{
    size_t slot = thaw_hash_bytes(token, bytes) & (v->slot_count - 1);
    for (; v->slots[slot]; slot = (slot + 1) & (v->slot_count - 1)) {
        const char *other = v->text + v->places[v->slots[slot] - 1] - 1;
        if (is_same(other, token, bytes))
            break;
    }
    return slot;
}

static thaw_status reserve_slots(thaw_vocabulary *v)
{
    if (2 * (v->used + 1) <= v->slot_count)
        return THAW_OK;
    thaw_vocabulary wider = *v;
    wider.slot_count = v->slot_count ? 2 * v->slot_count : 64;
    wider.slots = thaw_allocate_array(v->context, wider.slot_count, sizeof *wider.slots);
    if (!wider.slots)
        return THAW_OUT_OF_MEMORY;
    for (size_t i = 0; i < v->slot_count; i++) {
        if (!v->slots[i])
            continue;
        const char *token = thaw_vocabulary_token(v, v->slots[i] - 1);
        wider.slots[find_slot(&wider, token, strlen(token))] = v->slots[i];
    }
    thaw_release(v->context, v->slots);
    *v = wider;
    return THAW_OK;
}

static thaw_status reserve(thaw_vocabulary *v, size_t bytes, size_t id)
{
    char *text = thaw_grow(v->context, v->text, &v->text_capacity, v->text_bytes + bytes + 1, 1);
    if (!text)
        return THAW_OUT_OF_MEMORY;
    v->text = text;
    size_t *places = thaw_grow(v->context, v->places, &v->capacity, id + 1, sizeof *places);
    if (!places)
        return THAW_OUT_OF_MEMORY;
    v->places = places;
    return reserve_slots(v);
}

thaw_status thaw_vocabulary_add(thaw_vocabulary *v, const char *path, const char *token, size_t bytes, int64_t id)
{
    const char *other = thaw_vocabulary_token(v, id);
    if (id < 0 || id >= THAW_MOST_TOKENS)
        return thaw_fail(v->context, THAW_BAD_FORMAT, "%s: token \"%.100s\" has id %" PRId64 ", must be from 0 to %d",
                         path, token, id, THAW_MOST_TOKENS - 1);
    if (other && !is_same(other, token, bytes))
        return thaw_fail(v->context, THAW_BAD_FORMAT, "%s: tokens \"%.100s\" and \"%.100s\" both have id %" PRId64,
                         path, other, token, id);
    const thaw_status status = reserve(v, bytes, (size_t)id);
    if (status != THAW_OK || other)
        return status;
    const size_t slot = find_slot(v, token, bytes);
    if (v->slots[slot]) {
        const size_t old = (size_t)v->slots[slot] - 1;
        v->places[id] = v->places[old];
        v->places[old] = 0;
    } else {
        v->places[id] = v->text_bytes + 1;
        memcpy(v->text + v->text_bytes, token, bytes);
        v->text_bytes += bytes + 1;
        v->used++;
    }
    v->slots[slot] = (int32_t)id + 1;
    v->count = (size_t)id >= v->count ? (size_t)id + 1 : v->count;
    return THAW_OK;
}

int32_t thaw_vocabulary_find(const thaw_vocabulary *v, const char *token, size_t bytes)
{
    return v->slot_count ? v->slots[find_slot(v, token, bytes)] - 1 : THAW_NO_TOKEN;
}

void thaw_vocabulary_release(thaw_vocabulary *v)
{
    thaw_release(v->context, v->text);
    thaw_release(v->context, v->places);
    thaw_release(v->context, v->slots);
    *v = (thaw_vocabulary){ .context = v->context };
}
