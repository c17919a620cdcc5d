#include "data/folder_set.h"

#include <thaw/runtime.h>

enum { FIRST_CAPACITY = 64 };

/* Where the folder is, or would be. The multiplier is 2^64 divided by the golden ratio (Knuth, volume 3, 6.4). */
static thaw_folder_key *find(thaw_folder_key *places, size_t capacity, thaw_folder_key key)
{
    const uint64_t hash = ((uint64_t)key.inode ^ (uint64_t)key.device << 48) * 0x9E3779B97F4A7C15U;
    size_t at = (size_t)(hash >> 32) & (capacity - 1);
    while (places[at].inode && (places[at].inode != key.inode || places[at].device != key.device))
        at = (at + 1) & (capacity - 1);
    return &places[at];
}

static thaw_status grow(thaw_folder_set *set)
{
    const size_t capacity = set->capacity ? 2 * set->capacity : FIRST_CAPACITY;
    thaw_folder_key *places = thaw_allocate_array(set->context, capacity, sizeof *places);
    if (!places)
        return THAW_OUT_OF_MEMORY;
    for (size_t i = 0; i < set->capacity; i++)
        if (set->places[i].inode)
            *find(places, capacity, set->places[i]) = set->places[i];
    thaw_release(set->context, set->places);
    set->places = places;
    set->capacity = capacity;
    return THAW_OK;
}

thaw_status thaw_folder_set_add(thaw_folder_set *set, const struct stat *folder, bool *added)
{
    *added = false;
    const thaw_status status = 2 * (set->count + 1) > set->capacity ? grow(set) : THAW_OK;
    if (status != THAW_OK)
        return status;
    const thaw_folder_key key = { folder->st_dev, folder->st_ino };
    thaw_folder_key *place = find(set->places, set->capacity, key);
    *added = place->inode == 0;
    set->count += *added;
    *place = key;
    return THAW_OK;
}

void thaw_folder_set_release(thaw_folder_set *set)
{
    thaw_release(set->context, set->places);
    *set = (thaw_folder_set){ .context = set->context };
}
