#include "data/folder_search.h"

#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <thaw/runtime.h>
#include <unistd.h>

#include "core/context.h"
#include "data/folder_list.h"
#include "data/shuffle.h"

typedef struct search {
    thaw_context *context;
    const thaw_image_scan *scan;
    const thaw_folder_options *options;
    const thaw_dataset_selection *selection; /* its classes are in range */
    thaw_found_images *found;
} search;

void thaw_found_images_begin(thaw_found_images *found, thaw_context *context)
{
    const thaw_image_list empty = { .context = context };
    *found = (thaw_found_images){ .classes = empty, .training = empty, .test = empty };
}

void thaw_found_images_release(thaw_found_images *found)
{
    thaw_image_list_release(&found->classes);
    thaw_image_list_release(&found->training);
    thaw_image_list_release(&found->test);
}

/* ---------------------------------------------------------------- classes */

static size_t find(const thaw_image_list *names, const char *wanted)
{
    size_t i = 0;
    while (i < names->count && strcmp(thaw_image_list_name(names, i), wanted) != 0)
        i++;
    return i;
}

/* Finds the classes: those in train/, if that holds folders, else all sub-folders. */
static thaw_status find_classes(const search *now)
{
    thaw_found_images *found = now->found;
    const char *path = now->scan->path;
    thaw_image_list top = { .context = now->context };
    thaw_status status = thaw_list_folders(now->scan, "", &top);
    if (status == THAW_OK && find(&top, "train") < top.count)
        status = thaw_list_folders(now->scan, "train", &found->classes);
    found->has_splits = found->classes.count > 0;
    if (found->has_splits || status != THAW_OK)
        thaw_image_list_release(&top);
    else
        found->classes = top;
    if (status == THAW_OK && found->classes.count == 0)
        return thaw_fail(now->context, THAW_NOT_FOUND, "%s: has no sub-folders, must have one per class, with images",
                         path);
    if (status == THAW_OK && found->classes.count > INT32_MAX)
        return thaw_fail(now->context, THAW_INVALID_ARGUMENT, "%s: has %zu sub-folders, too many for classes", path,
                         found->classes.count);
    return status;
}

const char *thaw_found_class_name(const thaw_found_images *found, size_t class)
{
    return thaw_image_list_name(&found->classes, class) + (found->has_splits ? strlen("train/") : 0);
}

thaw_status thaw_folder_resolve(const thaw_found_images *found, const thaw_image_scan *scan,
                                thaw_dataset_selection *selection)
{
    const size_t count = found->classes.count;
    if (selection->last_class == SIZE_MAX)
        selection->last_class = count - 1;
    if (selection->first_class <= selection->last_class && selection->last_class < count)
        return THAW_OK;
    return thaw_fail(found->classes.context, THAW_INVALID_ARGUMENT,
                     "%s: classes are %zu to %zu, must be within 0 to %zu", scan->path, selection->first_class,
                     selection->last_class, count - 1);
}

/* ---------------------------------------------------------------- images */

static thaw_status scan_class(const search *now, const char *name, size_t class, thaw_image_list *into)
{
    const size_t before = into->count;
    const thaw_status status =
        thaw_image_list_scan(into, now->scan, name, (int32_t)(class - now->selection->first_class));
    if (status == THAW_OK && into->count == before)
        thaw_log(now->context, THAW_LOG_WARNING, "%s/%s: contains no images", now->scan->path, name);
    return status;
}

static thaw_status scan_training(const search *now)
{
    thaw_found_images *found = now->found;
    thaw_status status = THAW_OK;
    for (size_t c = now->selection->first_class; c <= now->selection->last_class && status == THAW_OK; c++)
        status = scan_class(now, thaw_image_list_name(&found->classes, c), c, &found->training);
    if (status == THAW_OK && found->training.count == 0)
        status = thaw_fail(now->context, THAW_NOT_FOUND, "%s: its sub-folders contain no JPEG or PNG images",
                           now->scan->path);
    return status;
}

/* "val/cat" has the class whose training images are in "train/cat". */
static thaw_status scan_validation(const search *now)
{
    thaw_found_images *found = now->found;
    thaw_image_list folders = { .context = now->context };
    thaw_status status = thaw_list_folders(now->scan, "val", &folders);
    for (size_t i = 0; i < folders.count && status == THAW_OK; i++) {
        const char *name = thaw_image_list_name(&folders, i);
        size_t class = 0;
        while (class < found->classes.count && strcmp(thaw_found_class_name(found, class), name + strlen("val/")) != 0)
            class ++;
        if (class == found->classes.count)
            status = thaw_fail(now->context, THAW_INVALID_ARGUMENT, "%s/%s: %s/train has no such class",
                               now->scan->path, name, now->scan->path);
        else if (class >= now->selection->first_class && class <= now->selection->last_class)
            status = scan_class(now, name, class, &found->test);
    }
    thaw_image_list_release(&folders);
    return status;
}

/* Marks the images of one class that become test data; at least one stays for training. */
static void draw_share(const search *now, size_t first, size_t count, size_t *order, bool *stays)
{
    const size_t class = (size_t)now->found->training.images[first].label + now->selection->first_class;
    const size_t share = (size_t)floor((double)count * now->options->validation + 0.5);
    thaw_shuffle(now->context, now->options->seed, class, order, count);
    for (size_t i = 0; i < share && i + 1 < count; i++)
        stays[first + order[i]] = false;
}

static thaw_status move_share(const search *now, size_t *order, bool *stays)
{
    thaw_image_list *list = &now->found->training;
    memset(stays, true, list->count * sizeof *stays);
    for (size_t first = 0, past; first < list->count; first = past) {
        for (past = first; past < list->count && list->images[past].label == list->images[first].label;)
            past++;
        draw_share(now, first, past - first, order, stays);
    }
    thaw_status status = THAW_OK;
    for (size_t i = 0; i < list->count && status == THAW_OK; i++)
        if (!stays[i])
            status = thaw_image_list_add(&now->found->test, thaw_image_list_name(list, i), list->images[i].stamp,
                                         list->images[i].label);
    thaw_image_list_keep(list, stays);
    return status;
}

static thaw_status split(const search *now)
{
    const size_t count = now->found->training.count;
    size_t *order = thaw_allocate_array(now->context, count, sizeof *order);
    bool *stays = thaw_allocate_array(now->context, count, sizeof *stays);
    const thaw_status status = order && stays ? move_share(now, order, stays) : THAW_OUT_OF_MEMORY;
    thaw_release(now->context, order);
    thaw_release(now->context, stays);
    return status;
}

/* Keeps the first `per_class` images of each class. */
static void limit(thaw_image_list *list, size_t per_class)
{
    size_t kept = 0, of_class = 0;
    for (size_t i = 0; i < list->count; i++) {
        of_class = i && list->images[i].label == list->images[i - 1].label ? of_class + 1 : 0;
        if (of_class < per_class)
            list->images[kept++] = list->images[i];
    }
    list->count = kept;
}

static thaw_status find_images(const search *now)
{
    thaw_status status = scan_training(now);
    if (status == THAW_OK && now->found->has_splits && faccessat(now->scan->directory, "val", F_OK, 0) == 0)
        status = scan_validation(now);
    else if (status == THAW_OK && now->options->validation > 0)
        status = split(now);
    if (status == THAW_OK && now->selection->per_class)
        limit(&now->found->training, now->selection->per_class);
    return status;
}

thaw_status thaw_folder_search(thaw_found_images *found, const thaw_image_scan *scan,
                               const thaw_folder_options *options, thaw_dataset_selection *selection)
{
    const search now = { found->classes.context, scan, options, selection, found };
    thaw_status status = find_classes(&now);
    if (status == THAW_OK)
        status = thaw_folder_resolve(found, scan, selection);
    return status == THAW_OK ? find_images(&now) : status;
}
