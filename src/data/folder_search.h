/* Finding the images of a folder: its classes, and which images are for training and which for testing. */
#ifndef THAW_DATA_FOLDER_SEARCH_H
#define THAW_DATA_FOLDER_SEARCH_H

#include <thaw/image_data.h>

#include "data/image_list.h"

/* What is found. The lists start as zero, except the contexts. */
typedef struct thaw_found_images {
    thaw_image_list classes; /* their folders: "cat", or "train/cat" */
    bool has_splits;         /* train/ and val/ */
    thaw_image_list training, test;
} thaw_found_images;

void thaw_found_images_begin(thaw_found_images *found, thaw_context *context);
void thaw_found_images_release(thaw_found_images *found);

const char *thaw_found_class_name(const thaw_found_images *found, size_t class);

/* Of `options`, which are complete, validation and seed count. `selection`: as for thaw_folder_open; its classes have
   been resolved afterwards. Errors: THAW_IO_ERROR, THAW_NOT_FOUND, THAW_INVALID_ARGUMENT, THAW_BAD_FORMAT,
   THAW_OUT_OF_MEMORY, as documented for thaw_dataset_open_folder. */
thaw_status thaw_folder_search(thaw_found_images *found, const thaw_image_scan *scan,
                               const thaw_folder_options *options, thaw_dataset_selection *selection);

/* Replaces SIZE_MAX by the last class that was found. Errors: THAW_INVALID_ARGUMENT (there are no such classes). */
thaw_status thaw_folder_resolve(const thaw_found_images *found, const thaw_image_scan *scan,
                                thaw_dataset_selection *selection);

#endif
