/* Data sets that are a part of another. */
#ifndef THAW_DATA_SELECTION_H
#define THAW_DATA_SELECTION_H

#include <thaw/data.h>

/* As thaw_dataset_select, with the classes used literally (0 to 0 is class 0 alone). */
thaw_status thaw_select_samples(thaw_context *context, thaw_dataset *from, const thaw_dataset_selection *selection,
                                thaw_dataset **dataset);

/* A data set of the samples at `indices`, of which there are `count`, in this order, so many times. The array is of the
   context's allocator, and taken over, also on failure. `from` must outlive the new data set. Errors:
   THAW_INVALID_ARGUMENT (too many), those of thaw_dataset_create. */
thaw_status thaw_take_samples(thaw_context *context, thaw_dataset *from, size_t *indices, size_t count, size_t repeat,
                              thaw_dataset **dataset);

/* As thaw_select_samples, from a data set that is taken over, also on failure. A last class of SIZE_MAX is the last that
   there is. */
thaw_status thaw_select_owned(thaw_context *context, thaw_dataset *whole, const thaw_dataset_selection *selection,
                              thaw_dataset **dataset);

#endif
