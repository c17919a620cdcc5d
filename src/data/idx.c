/* Data sets of two IDX files: images, and a label for each. */
#include "data/idx.h"

#include <thaw/runtime.h>

#include "data/arrays.h"
#include "data/dataset.h"
#include "data/idx_file.h"

/* Makes int32 of the labels, all below `*classes`; a 0 there is replaced by the largest label + 1. */
static thaw_status convert_labels(const thaw_idx_file *file, size_t *classes, int32_t *labels)
{
    size_t past = 0;
    for (size_t i = 0; i < file->bytes; i++) {
        const uint8_t label = file->data[i];
        labels[i] = label;
        past = past > label ? past : (size_t)label + 1;
        if (*classes && label >= *classes)
            return thaw_fail(file->context, THAW_BAD_FORMAT, "%s: label %d of sample %zu must be below %zu", file->path,
                             label, i, *classes);
    }
    *classes = *classes ? *classes : past;
    return THAW_OK;
}

/* The caller releases the labels; NULL after an error. */
static thaw_status read_labels(thaw_idx_file *file, size_t *classes, int32_t **labels)
{
    thaw_context *context = file->context;
    *labels = NULL;
    thaw_status status = thaw_idx_file_allow(file, file->bytes, sizeof **labels + 1);
    if (status == THAW_OK)
        status = thaw_idx_file_read(file, &(thaw_idx_choice){ 0 });
    if (status != THAW_OK)
        return status;
    int32_t *made = thaw_allocate_array(context, file->bytes, sizeof *made);
    status = made ? convert_labels(file, classes, made) : THAW_OUT_OF_MEMORY;
    if (status == THAW_OK)
        *labels = made;
    else
        thaw_release(context, made);
    return status;
}

thaw_status thaw_idx_classes(thaw_context *context, const char *labels_path, size_t *classes)
{
    thaw_idx_file file;
    int32_t *labels;
    *classes = 0;
    thaw_status status = thaw_idx_file_open(context, labels_path, 1, &file);
    if (status != THAW_OK)
        return status;
    status = read_labels(&file, classes, &labels);
    thaw_release(context, labels);
    thaw_idx_file_close(&file);
    return status;
}

thaw_status thaw_idx_is_plain(thaw_context *context, const char *path, size_t rank, bool *plain)
{
    uint8_t start[4];
    size_t got;
    thaw_unpacker *unpacker;
    *plain = true;
    thaw_status status = thaw_unpacker_open(context, path, &unpacker);
    if (status != THAW_OK)
        return status;
    status = thaw_unpacker_read(unpacker, start, sizeof start, &got);
    if (status == THAW_OK && got == sizeof start && start[0] == 0 && start[1] == 0)
        *plain = start[2] == 0x08 && start[3] == rank;
    thaw_unpacker_close(unpacker);
    return status;
}

/* The images with chosen labels. */
static thaw_status read_images(thaw_idx_file *file, const char *labels_path, const thaw_idx_choice *choice)
{
    size_t chosen = 0;
    for (size_t i = 0; i < file->dims[0]; i++)
        chosen += thaw_idx_is_chosen(choice, i);
    const thaw_status status = thaw_idx_file_allow(file, chosen, file->bytes / file->dims[0]);
    if (status != THAW_OK)
        return status;
    if (chosen == 0)
        return thaw_fail(file->context, THAW_NOT_FOUND, "%s: no sample has a class from %zu to %zu", labels_path,
                         choice->first_class, choice->last_class);
    return thaw_idx_file_read(file, choice);
}

/* Moves the chosen labels to the front. */
static void compact(int32_t *labels, size_t count, const thaw_idx_choice *choice)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (thaw_idx_is_chosen(choice, i))
            labels[kept++] = labels[i];
}

/* Takes the images' data and the labels over, on failure too. */
static thaw_status make(thaw_context *context, thaw_idx_file *images, int32_t *labels, size_t classes,
                        thaw_dataset **dataset)
{
    const int64_t kept = (int64_t)images->dims[0], height = (int64_t)images->dims[1], width = (int64_t)images->dims[2];
    const thaw_shape shape = { .rank = 3, .dims = { height, width, 1 } };
    const thaw_tensor inputs = {
        .dtype = THAW_U8,
        .shape = { .rank = 3, .dims = { kept, height, width } },
        .data = images->data,
    };
    const thaw_tensor targets = thaw_view_i32(labels, 1, &kept);
    images->data = NULL;
    const thaw_status status = thaw_dataset_from_owned(context, &inputs, &targets, &shape, classes, dataset);
    if (status == THAW_OK && height == width)
        (*dataset)->form = (thaw_folder_options){ .size = height, .channels = 1, .std = { 1, 1, 1 } };
    return status;
}

static thaw_status read_both(thaw_idx_file *images, thaw_idx_file *labels, size_t classes,
                             const thaw_dataset_selection *selection, thaw_dataset **dataset)
{
    thaw_context *context = images->context;
    const size_t count = labels->bytes;
    int32_t *values;
    if (images->dims[0] != count)
        return thaw_fail(context, THAW_BAD_FORMAT, "%s: has %zu images, but %s has %zu labels", images->path,
                         images->dims[0], labels->path, count);
    thaw_status status = read_labels(labels, &classes, &values);
    if (status != THAW_OK)
        return status;
    const thaw_idx_choice choice = { values, selection ? selection->first_class : 0,
                                     selection ? selection->last_class : classes - 1 };
    status = read_images(images, labels->path, &choice);
    if (status != THAW_OK) {
        thaw_release(context, values);
        return status;
    }
    compact(values, count, &choice);
    return make(context, images, values, classes, dataset);
}

thaw_status thaw_idx_open(thaw_context *context, const char *images_path, const char *labels_path, size_t classes,
                          const thaw_dataset_selection *selection, thaw_dataset **dataset)
{
    *dataset = NULL;
    thaw_idx_file images, labels;
    thaw_status status = thaw_idx_file_open(context, labels_path, 1, &labels);
    if (status != THAW_OK)
        return status;
    status = thaw_idx_file_open(context, images_path, 3, &images);
    if (status == THAW_OK)
        status = read_both(&images, &labels, classes, selection, dataset);
    thaw_idx_file_close(&images);
    thaw_idx_file_close(&labels);
    return status;
}

thaw_status thaw_dataset_open_idx(thaw_context *context, const char *images_path, const char *labels_path,
                                  thaw_dataset **dataset)
{
    return thaw_idx_open(context, images_path, labels_path, 0, NULL, dataset);
}
