#include "data/image_list.h"

#include <stdlib.h>
#include <string.h>

#include "core/allocation.h"

void thaw_image_list_release(thaw_image_list *list)
{
    thaw_release(list->context, list->names);
    thaw_release(list->context, list->images);
    *list = (thaw_image_list){ .context = list->context };
}

thaw_status thaw_image_list_add(thaw_image_list *list, const char *name, uint64_t stamp, int32_t label)
{
    const size_t bytes = strlen(name) + 1;
    char *names = thaw_grow(list->context, list->names, &list->name_capacity, list->name_bytes + bytes, 1);
    if (!names)
        return THAW_OUT_OF_MEMORY;
    list->names = names;
    thaw_listed_image *images =
        thaw_grow(list->context, list->images, &list->capacity, list->count + 1, sizeof *images);
    if (!images)
        return THAW_OUT_OF_MEMORY;
    list->images = images;
    memcpy(names + list->name_bytes, name, bytes);
    images[list->count++] = (thaw_listed_image){ .name = list->name_bytes, .stamp = stamp, .label = label };
    list->name_bytes += bytes;
    return THAW_OK;
}

/* The length of the folder part of a path. */
static size_t folder_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) : 0;
}

static int compare_names(const void *left, const void *right, void *names)
{
    const char *one = (const char *)names + ((const thaw_listed_image *)left)->name;
    const char *other = (const char *)names + ((const thaw_listed_image *)right)->name;
    const size_t one_length = folder_length(one), other_length = folder_length(other);
    const int order = memcmp(one, other, one_length < other_length ? one_length : other_length);
    if (order)
        return order;
    if (one_length != other_length)
        return one_length < other_length ? -1 : 1;
    return strcmp(one + one_length, other + other_length);
}

void thaw_image_list_sort(thaw_image_list *list, size_t first)
{
    if (list->count > first + 1)
        qsort_r(list->images + first, list->count - first, sizeof *list->images, compare_names, list->names);
}

void thaw_image_list_keep(thaw_image_list *list, const bool *stays)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++)
        if (stays[i])
            list->images[kept++] = list->images[i];
    list->count = kept;
}

void thaw_image_list_begin_classes(const thaw_image_list *list, size_t classes, size_t *begins)
{
    size_t next = 0;
    for (size_t label = 0; label <= classes; label++) {
        while (next < list->count && (size_t)list->images[next].label < label)
            next++;
        begins[label] = next;
    }
}
