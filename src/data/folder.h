/* Folders of images. */
#ifndef THAW_DATA_FOLDER_H
#define THAW_DATA_FOLDER_H

#include <thaw/image_data.h>

#include "data/augment.h"

/* As thaw_dataset_open_folder, with a selection of classes (used literally; up to SIZE_MAX: all) and of training
   images per class. */
thaw_status thaw_folder_open(thaw_context *context, const char *path, const thaw_folder_options *options,
                             const thaw_dataset_selection *selection, thaw_dataset **training, thaw_dataset **test);

/* Replaces zeros by their defaults. Errors: THAW_INVALID_ARGUMENT. */
/* What the options change training images by. Errors: those of thaw_augment_parse, THAW_INVALID_ARGUMENT. */
thaw_status thaw_folder_augment(thaw_context *context, const thaw_folder_options *options, thaw_augment *augment);

thaw_status thaw_folder_complete(thaw_context *context, thaw_folder_options *options);

#endif
