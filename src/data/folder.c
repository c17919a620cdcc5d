#include "data/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <thaw/runtime.h>
#include <unistd.h>

#include "core/context.h"
#include "core/open.h"
#include "data/dataset.h"
#include "data/folder_list.h"
#include "data/image_form.h"
#include "data/shuffle.h"

typedef struct folder {
    thaw_context *context;
    thaw_folder_options options;
    thaw_dataset_selection selection; /* its classes are in range */
    thaw_image_source_options source; /* of both parts */
    bool has_splits;                  /* train/ and val/ */
    thaw_image_list classes;          /* their folders */
    const char **class_names;         /* of those that are used */
    thaw_image_list training, test;
} folder;

/* ---------------------------------------------------------------- classes */

static size_t find(const thaw_image_list *names, const char *wanted)
{
    size_t i = 0;
    while (i < names->count && strcmp(thaw_image_list_name(names, i), wanted) != 0)
        i++;
    return i;
}

/* Finds the classes: those in train/, if that holds folders, else all sub-folders. */
static thaw_status find_classes(folder *from)
{
    thaw_image_list top = { .context = from->context };
    thaw_status status = thaw_list_folders(from->context, &from->source, "", &top);
    if (status == THAW_OK && find(&top, "train") < top.count)
        status = thaw_list_folders(from->context, &from->source, "train", &from->classes);
    from->has_splits = from->classes.count > 0;
    if (from->has_splits || status != THAW_OK)
        thaw_image_list_release(&top);
    else
        from->classes = top;
    if (status == THAW_OK && from->classes.count == 0)
        return thaw_fail(from->context, THAW_NOT_FOUND, "%s: has no sub-folders, must have one per class, with images",
                         from->source.path);
    if (status == THAW_OK && from->classes.count > INT32_MAX)
        return thaw_fail(from->context, THAW_INVALID_ARGUMENT, "%s: has %zu sub-folders, too many for classes",
                         from->source.path, from->classes.count);
    return status;
}

static const char *class_name(const folder *from, size_t class)
{
    return thaw_image_list_name(&from->classes, class) + (from->has_splits ? strlen("train/") : 0);
}

static thaw_status name_classes(folder *from)
{
    const size_t count = from->source.classes;
    from->class_names = thaw_allocate_array(from->context, count, sizeof *from->class_names);
    if (!from->class_names)
        return THAW_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++)
        from->class_names[i] = class_name(from, from->selection.first_class + i);
    from->source.class_names = from->class_names;
    return THAW_OK;
}

static thaw_status choose_classes(folder *from, const thaw_dataset_selection *selection)
{
    const size_t count = from->classes.count;
    from->selection = *selection;
    if (selection->last_class == SIZE_MAX)
        from->selection.last_class = count - 1;
    if (from->selection.first_class > from->selection.last_class || from->selection.last_class >= count)
        return thaw_fail(from->context, THAW_INVALID_ARGUMENT, "%s: classes are %zu to %zu, must be within 0 to %zu",
                         from->source.path, from->selection.first_class, from->selection.last_class, count - 1);
    from->source.classes = from->selection.last_class - from->selection.first_class + 1;
    from->source.repeat = 1;
    return name_classes(from);
}

/* ---------------------------------------------------------------- images */

static thaw_status scan_class(const folder *from, const char *name, size_t class, thaw_image_list *into)
{
    const thaw_image_scan scan = { from->source.directory, from->source.path, from->source.strict };
    const size_t before = into->count;
    const thaw_status status = thaw_image_list_scan(into, &scan, name, (int32_t)(class - from->selection.first_class));
    if (status == THAW_OK && into->count == before)
        thaw_log(from->context, THAW_LOG_WARNING, "%s/%s: contains no images", from->source.path, name);
    return status;
}

static thaw_status scan_training(folder *from)
{
    thaw_status status = THAW_OK;
    for (size_t c = from->selection.first_class; c <= from->selection.last_class && status == THAW_OK; c++)
        status = scan_class(from, thaw_image_list_name(&from->classes, c), c, &from->training);
    if (status == THAW_OK && from->training.count == 0)
        status = thaw_fail(from->context, THAW_NOT_FOUND, "%s: its sub-folders contain no JPEG or PNG images",
                           from->source.path);
    return status;
}

/* "val/cat" has the class whose training images are in "train/cat". */
static thaw_status scan_validation(folder *from)
{
    thaw_image_list found = { .context = from->context };
    thaw_status status = thaw_list_folders(from->context, &from->source, "val", &found);
    for (size_t i = 0; i < found.count && status == THAW_OK; i++) {
        const char *name = thaw_image_list_name(&found, i);
        size_t class = 0;
        while (class < from->classes.count && strcmp(class_name(from, class), name + strlen("val/")) != 0)
            class ++;
        if (class == from->classes.count)
            status = thaw_fail(from->context, THAW_INVALID_ARGUMENT, "%s/%s: %s/train has no such class",
                               from->source.path, name, from->source.path);
        else if (class >= from->selection.first_class && class <= from->selection.last_class)
            status = scan_class(from, name, class, &from->test);
    }
    thaw_image_list_release(&found);
    return status;
}

/* Marks the images of one class that become test data; at least one stays for training. */
static void draw_share(const folder *from, size_t first, size_t count, size_t *order, bool *stays)
{
    const size_t class = (size_t)from->training.images[first].label + from->selection.first_class;
    const size_t share = (size_t)floor((double)count * from->options.validation + 0.5);
    thaw_shuffle(from->context, from->options.seed, class, order, count);
    for (size_t i = 0; i < share && i + 1 < count; i++)
        stays[first + order[i]] = false;
}

static thaw_status move_share(folder *from, size_t *order, bool *stays)
{
    thaw_image_list *list = &from->training;
    memset(stays, true, list->count * sizeof *stays);
    for (size_t first = 0, past; first < list->count; first = past) {
        for (past = first; past < list->count && list->images[past].label == list->images[first].label;)
            past++;
        draw_share(from, first, past - first, order, stays);
    }
    thaw_status status = THAW_OK;
    for (size_t i = 0; i < list->count && status == THAW_OK; i++)
        if (!stays[i])
            status = thaw_image_list_add(&from->test, thaw_image_list_name(list, i), list->images[i].stamp,
                                         list->images[i].label);
    thaw_image_list_keep(list, stays);
    return status;
}

static thaw_status split(folder *from)
{
    thaw_context *context = from->context;
    size_t *order = thaw_allocate_array(context, from->training.count, sizeof *order);
    bool *stays = thaw_allocate_array(context, from->training.count, sizeof *stays);
    const thaw_status status = order && stays ? move_share(from, order, stays) : THAW_OUT_OF_MEMORY;
    thaw_release(context, order);
    thaw_release(context, stays);
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

static thaw_status find_images(folder *from)
{
    thaw_status status = scan_training(from);
    if (status == THAW_OK && from->has_splits && faccessat(from->source.directory, "val", F_OK, 0) == 0)
        status = scan_validation(from);
    else if (status == THAW_OK && from->options.validation > 0)
        status = split(from);
    if (status == THAW_OK && from->selection.per_class)
        limit(&from->training, from->selection.per_class);
    return status;
}

/* ---------------------------------------------------------------- opening */

static void describe_samples(folder *from)
{
    const thaw_folder_options *options = &from->options;
    from->source.form = (thaw_sample_form){
        .size = (size_t)options->size,
        .resize = (size_t)options->resize,
        .channels = (size_t)options->channels,
        .decode_fully = options->decode_fully,
    };
    thaw_sample_form_set_levels(&from->source.form, options->mean, options->std);
    from->source.strict = options->fail_on_broken;
    from->source.seed = options->seed ? options->seed : from->context->seed;
    from->source.threads = options->threads;
}

/* A data set of the list's images. */
static thaw_status make_set(folder *from, thaw_image_list *list, thaw_dataset **dataset)
{
    const thaw_status status = thaw_image_source_create(from->context, list, &from->source, dataset);
    if (status == THAW_OK)
        (*dataset)->form = thaw_image_form_of(&from->options);
    return status;
}

static thaw_status make_splits(folder *from, thaw_dataset **training, thaw_dataset **test)
{
    thaw_status status = THAW_OK;
    if (test && from->test.count)
        status = make_set(from, &from->test, test);
    from->source.crops = from->options.augment == THAW_AUGMENT_CROP_FLIP;
    from->source.repeat = from->selection.repeat ? from->selection.repeat : 1;
    if (status == THAW_OK && training)
        status = make_set(from, &from->training, training);
    if (status != THAW_OK && test) {
        thaw_dataset_destroy(*test);
        *test = NULL;
    }
    return status;
}

thaw_status thaw_folder_open(thaw_context *context, const char *path, const thaw_folder_options *options,
                             const thaw_dataset_selection *selection, thaw_dataset **training, thaw_dataset **test)
{
    const thaw_image_list empty = { .context = context };
    folder from = { .context = context, .classes = empty, .training = empty, .test = empty };
    if (training)
        *training = NULL;
    if (test)
        *test = NULL;
    if (options)
        from.options = *options;
    from.source.path = path;
    thaw_status status = thaw_folder_complete(context, &from.options);
    if (status != THAW_OK)
        return status;
    describe_samples(&from);
    from.source.directory = thaw_open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
    if (from.source.directory < 0)
        return thaw_fail(context, THAW_IO_ERROR, "%s: cannot be read: %s", path, strerror(errno));
    status = find_classes(&from);
    if (status == THAW_OK)
        status = choose_classes(&from, selection);
    if (status == THAW_OK)
        status = find_images(&from);
    if (status == THAW_OK)
        status = make_splits(&from, training, test);
    thaw_release(context, from.class_names);
    thaw_image_list_release(&from.classes);
    thaw_image_list_release(&from.training);
    thaw_image_list_release(&from.test);
    close(from.source.directory);
    return status;
}

thaw_status thaw_dataset_open_folder(thaw_context *context, const char *path, const thaw_folder_options *options,
                                     thaw_dataset **training, thaw_dataset **test)
{
    return thaw_folder_open(context, path, options, &(thaw_dataset_selection){ .last_class = SIZE_MAX }, training,
                            test);
}
