/* Each folder: a head; then the images of its three lists, a stamp, a label, and a path that ends with a zero. */
#include "data/folder_lists.h"

#include <string.h>

#include "core/allocation.h"

enum { LISTS = 3 };

typedef struct head {
    uint64_t options[2]; /* a fingerprint */
    uint64_t counts[LISTS], has_splits;
    uint64_t bytes; /* of the images */
} head;

void thaw_folder_lists_release(thaw_folder_lists *lists)
{
    thaw_release(lists->context, lists->bytes);
    *lists = (thaw_folder_lists){ .context = lists->context };
}

/* ---------------------------------------------------------------- adding */

static thaw_status append(thaw_folder_lists *lists, const void *bytes, size_t count)
{
    char *grown = thaw_grow(lists->context, lists->bytes, &lists->capacity, lists->count + count, 1);
    if (!grown)
        return THAW_OUT_OF_MEMORY;
    lists->bytes = grown;
    memcpy(grown + lists->count, bytes, count);
    lists->count += count;
    return THAW_OK;
}

static thaw_status append_images(thaw_folder_lists *lists, const thaw_image_list *images)
{
    thaw_status status = THAW_OK;
    for (size_t i = 0; i < images->count && status == THAW_OK; i++) {
        const thaw_listed_image *image = &images->images[i];
        const char *name = thaw_image_list_name(images, i);
        status = append(lists, &image->stamp, sizeof image->stamp);
        if (status == THAW_OK)
            status = append(lists, &image->label, sizeof image->label);
        if (status == THAW_OK)
            status = append(lists, name, strlen(name) + 1);
    }
    return status;
}

thaw_status thaw_folder_lists_add(thaw_folder_lists *lists, const thaw_digest *options, const thaw_found_images *found)
{
    const thaw_image_list *const all[LISTS] = { &found->classes, &found->training, &found->test };
    const size_t first = lists->count;
    head made = { .has_splits = found->has_splits };
    memcpy(made.options, options->lane, sizeof made.options);
    thaw_status status = append(lists, &made, sizeof made);
    for (size_t k = 0; k < LISTS && status == THAW_OK; k++) {
        made.counts[k] = all[k]->count;
        status = append_images(lists, all[k]);
    }
    if (status != THAW_OK)
        return status;
    made.bytes = lists->count - first - sizeof made;
    memcpy(lists->bytes + first, &made, sizeof made);
    return THAW_OK;
}

/* ---------------------------------------------------------------- taking */

/* Bytes that are being read. */
typedef struct span {
    const char *next, *end;
} span;

static bool read_bytes(span *from, void *bytes, size_t count)
{
    if ((size_t)(from->end - from->next) < count)
        return false;
    memcpy(bytes, from->next, count);
    from->next += count;
    return true;
}

/* NULL: it does not end. */
static const char *read_text(span *from)
{
    const char *text = from->next, *end = memchr(text, '\0', (size_t)(from->end - text));
    from->next = end ? end + 1 : from->end;
    return end;
}

/* Labels are below `classes`, and their images beside each other. */
static thaw_status take_images(span *from, size_t count, size_t classes, thaw_image_list *images, bool *whole)
{
    thaw_status status = THAW_OK;
    int32_t least = 0;
    *whole = true;
    for (size_t i = 0; i < count && status == THAW_OK && *whole; i++) {
        thaw_listed_image image = { 0 };
        *whole = read_bytes(from, &image.stamp, sizeof image.stamp) &&
                 read_bytes(from, &image.label, sizeof image.label) && image.label >= least &&
                 (size_t)image.label < classes;
        const char *name = from->next;
        *whole = *whole && read_text(from) && *name && *name != '/';
        if (*whole)
            status = thaw_image_list_add(images, name, image.stamp, image.label);
        least = image.label;
    }
    return status;
}

static thaw_status take_all(const head *from, span bytes, thaw_found_images *found, bool *whole)
{
    const size_t classes = from->counts[0];
    thaw_status status = take_images(&bytes, classes, 1, &found->classes, whole);
    for (size_t i = 0; i < found->classes.count && status == THAW_OK && *whole && from->has_splits; i++)
        *whole = strncmp(thaw_image_list_name(&found->classes, i), "train/", strlen("train/")) == 0;
    if (status == THAW_OK && *whole)
        status = take_images(&bytes, from->counts[1], classes, &found->training, whole);
    if (status == THAW_OK && *whole)
        status = take_images(&bytes, from->counts[2], classes, &found->test, whole);
    *whole = *whole && bytes.next == bytes.end && classes > 0 && found->training.count > 0;
    found->has_splits = from->has_splits;
    return status;
}

static thaw_status fail_damaged(const thaw_folder_lists *lists)
{
    return thaw_fail(lists->context, THAW_BAD_FORMAT, "the lists of images that rank 0 sent are damaged");
}

thaw_status thaw_folder_lists_take(thaw_folder_lists *lists, const thaw_digest *options, thaw_found_images *found,
                                   bool *taken)
{
    span from = { lists->bytes + lists->next, lists->bytes + lists->count };
    head next;
    bool whole = true;
    *taken = false;
    if (lists->next == lists->count)
        return THAW_OK;
    if (!read_bytes(&from, &next, sizeof next) || next.bytes > (size_t)(from.end - from.next))
        return fail_damaged(lists);
    lists->next += sizeof next + next.bytes;
    if (memcmp(next.options, options->lane, sizeof next.options) != 0)
        return THAW_OK;
    const thaw_status status = take_all(&next, (span){ from.next, from.next + next.bytes }, found, &whole);
    if (status == THAW_OK && !whole)
        return fail_damaged(lists);
    *taken = status == THAW_OK;
    return status;
}
