/* Growing lists of bytes and of ids. They set no message, so that several threads may fill lists of their own. */
#ifndef THAW_DATA_TEXT_LIST_H
#define THAW_DATA_TEXT_LIST_H

#include <string.h>

#include "core/allocation.h"

/* Starts as zero. */
typedef struct thaw_byte_list {
    unsigned char *items;
    size_t count, capacity;
} thaw_byte_list;

typedef struct thaw_id_list {
    int32_t *items;
    size_t count, capacity;
} thaw_id_list;

/* Makes room for `more` further items. Returns false if there is no memory; so do all below. */
static inline bool thaw_byte_list_reserve(thaw_context *context, thaw_byte_list *list, size_t more)
{
    void *items = list->items;
    const bool reserved = thaw_grow_quietly(context, &items, &list->capacity, list->count + more, 1);
    list->items = items;
    return reserved;
}

static inline bool thaw_id_list_reserve(thaw_context *context, thaw_id_list *list, size_t more)
{
    void *items = list->items;
    const bool reserved = thaw_grow_quietly(context, &items, &list->capacity, list->count + more, sizeof(int32_t));
    list->items = items;
    return reserved;
}

static inline bool thaw_byte_list_append(thaw_context *context, thaw_byte_list *list, const void *bytes, size_t count)
{
    if (!thaw_byte_list_reserve(context, list, count))
        return false;
    if (count)
        memcpy(list->items + list->count, bytes, count);
    list->count += count;
    return true;
}

static inline bool thaw_id_list_add(thaw_context *context, thaw_id_list *list, int32_t id)
{
    if (list->count == list->capacity && !thaw_id_list_reserve(context, list, 1))
        return false;
    list->items[list->count++] = id;
    return true;
}

static inline bool thaw_id_list_append(thaw_context *context, thaw_id_list *list, const int32_t *ids, size_t count)
{
    if (!thaw_id_list_reserve(context, list, count))
        return false;
    if (count)
        memcpy(list->items + list->count, ids, count * sizeof *ids);
    list->count += count;
    return true;
}

#endif
