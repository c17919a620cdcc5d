#include "data/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <thaw/runtime.h>
#include <unistd.h>

#include "core/context.h"
#include "core/open.h"
#include "data/dataset.h"
#include "data/folder_lists.h"
#include "data/image_form.h"
#include "data/image_source.h"

typedef struct folder {
    thaw_context *context;
    thaw_folder_options options;
    thaw_dataset_selection selection; /* its classes are in range */
    thaw_image_source_options source; /* of both parts */
    const char **class_names;         /* of those that are used */
    thaw_found_images found;
} folder;

/* ---------------------------------------------------------------- searching */

/* What the images that are found depend on, besides the folder. */
static thaw_digest fingerprint(const folder *from)
{
    thaw_digest digest = { 0 };
    thaw_digest_add(&digest, &from->options.validation, sizeof from->options.validation);
    thaw_digest_add_number(&digest, from->options.seed);
    thaw_digest_add_number(&digest, from->options.fail_on_broken);
    thaw_digest_add_number(&digest, from->selection.first_class);
    thaw_digest_add_number(&digest, from->selection.last_class);
    thaw_digest_add_number(&digest, from->selection.per_class);
    return digest;
}

/* The folder need not be readable for this rank, only what is in it. */
static int open_directory(const folder *from)
{
    const thaw_folder_lists *lists = from->context->folder_lists;
    return thaw_open(AT_FDCWD, from->source.path, (lists && lists->told ? O_PATH : O_RDONLY) | O_DIRECTORY, 0);
}

/* Looks at one image of each class, so that a folder that is another one, or empty, is found now. */
static thaw_status check_told(const folder *from, const thaw_image_list *list)
{
    char reason[THAW_IMAGE_REASON_BYTES];
    for (size_t i = 0; i < list->count; i++) {
        const char *name = thaw_image_list_name(list, i);
        if (i && list->images[i].label == list->images[i - 1].label)
            continue;
        if (!thaw_image_is_as_listed(from->source.directory, name, list->images[i].stamp, reason))
            return thaw_fail(from->context, THAW_IO_ERROR, "%s/%s: %s", from->source.path, name, reason);
    }
    return THAW_OK;
}

/* Takes what rank 0 has found, if it has searched in the same way. */
static thaw_status take_told(folder *from, const thaw_image_scan *scan)
{
    const thaw_digest options = fingerprint(from);
    thaw_status status =
        thaw_folder_lists_take(from->context->folder_lists, &options, &from->found, &from->source.told);
    if (status != THAW_OK || !from->source.told)
        return status;
    status = thaw_folder_resolve(&from->found, scan, &from->selection);
    if (status == THAW_OK)
        status = check_told(from, &from->found.training);
    return status == THAW_OK ? check_told(from, &from->found.test) : status;
}

static thaw_status find_images(folder *from)
{
    const thaw_image_scan scan = { from->source.directory, from->source.path, from->source.strict };
    const thaw_digest options = fingerprint(from);
    thaw_folder_lists *lists = from->context->folder_lists;
    thaw_status status = lists && lists->told ? take_told(from, &scan) : THAW_OK;
    if (status != THAW_OK || from->source.told)
        return status;
    status = thaw_folder_search(&from->found, &scan, &from->options, &from->selection);
    return status == THAW_OK && lists && !lists->told ? thaw_folder_lists_add(lists, &options, &from->found) : status;
}

/* ---------------------------------------------------------------- opening */

static thaw_status name_classes(folder *from)
{
    const size_t count = from->selection.last_class - from->selection.first_class + 1;
    from->class_names = thaw_allocate_array(from->context, count, sizeof *from->class_names);
    if (!from->class_names)
        return THAW_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++)
        from->class_names[i] = thaw_found_class_name(&from->found, from->selection.first_class + i);
    from->source.class_names = from->class_names;
    from->source.classes = count;
    return THAW_OK;
}

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
    if (test && from->found.test.count)
        status = make_set(from, &from->found.test, test);
    if (status == THAW_OK)
        status = thaw_folder_augment(from->context, &from->options, &from->source.augment);
    from->source.views = (size_t)from->options.views;
    from->source.repeat = from->selection.repeat ? from->selection.repeat : 1;
    if (status == THAW_OK && training)
        status = make_set(from, &from->found.training, training);
    if (status != THAW_OK && test) {
        thaw_dataset_destroy(*test);
        *test = NULL;
    }
    return status;
}

thaw_status thaw_folder_open(thaw_context *context, const char *path, const thaw_folder_options *options,
                             const thaw_dataset_selection *selection, thaw_dataset **training, thaw_dataset **test)
{
    folder from = { .context = context, .selection = *selection, .source = { .path = path, .repeat = 1 } };
    if (training)
        *training = NULL;
    if (test)
        *test = NULL;
    if (options)
        from.options = *options;
    thaw_found_images_begin(&from.found, context);
    thaw_status status = thaw_folder_complete(context, &from.options);
    if (status != THAW_OK)
        return status;
    describe_samples(&from);
    from.source.directory = open_directory(&from);
    if (from.source.directory < 0)
        return thaw_fail(context, THAW_IO_ERROR, "%s: cannot be read: %s", path, strerror(errno));
    status = find_images(&from);
    if (status == THAW_OK)
        status = name_classes(&from);
    if (status == THAW_OK)
        status = make_splits(&from, training, test);
    thaw_release(context, from.class_names);
    thaw_found_images_release(&from.found);
    close(from.source.directory);
    return status;
}

thaw_status thaw_dataset_open_folder(thaw_context *context, const char *path, const thaw_folder_options *options,
                                     thaw_dataset **training, thaw_dataset **test)
{
    return thaw_folder_open(context, path, options, &(thaw_dataset_selection){ .last_class = SIZE_MAX }, training,
                            test);
}
