/* IDX files. */
#ifndef THAW_DATA_IDX_H
#define THAW_DATA_IDX_H

#include <thaw/data.h>

/* As thaw_dataset_open_idx, with the number of classes that labels must be below; 0: the largest label + 1.
   Of a selection (NULL: none) the classes count here: only their samples take memory, with the labels that they have.
   Errors: also THAW_NOT_FOUND (no sample is of these classes). */
thaw_status thaw_idx_open(thaw_context *context, const char *images_path, const char *labels_path, size_t classes,
                          const thaw_dataset_selection *selection, thaw_dataset **dataset);

/* The largest label of a file, + 1. */
thaw_status thaw_idx_classes(thaw_context *context, const char *labels_path, size_t *classes);

#endif
