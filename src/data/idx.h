/* IDX files. */
#ifndef THAW_DATA_IDX_H
#define THAW_DATA_IDX_H

#include <thaw/data.h>

/* As thaw_dataset_open_idx, with the number of classes that labels must be below; 0: the largest label + 1.
   `selection` (NULL: none) only selects by class: only samples of these classes take memory, and they keep their
   labels. Errors: also THAW_NOT_FOUND (no sample has these classes). */
thaw_status thaw_idx_open(thaw_context *context, const char *images_path, const char *labels_path, size_t classes,
                          const thaw_dataset_selection *selection, thaw_dataset **dataset);

/* Whether a file holds unsigned bytes of `rank` dimensions, as thaw_idx_open wants; also if it is no IDX file at all,
   which opening it will tell. Errors: THAW_IO_ERROR, THAW_BAD_FORMAT (broken gzip), THAW_OUT_OF_MEMORY. */
thaw_status thaw_idx_is_plain(thaw_context *context, const char *path, size_t rank, bool *plain);

/* The largest label of a file, + 1. */
thaw_status thaw_idx_classes(thaw_context *context, const char *labels_path, size_t *classes);

#endif
