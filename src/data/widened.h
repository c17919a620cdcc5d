/* Data of one channel for networks of three. */
#ifndef THAW_DATA_WIDENED_H
#define THAW_DATA_WIDENED_H

#include <thaw/data.h>

/* Puts a data set in place of *dataset whose images have `channels` channels, from one channel that each repeats; one
   that has as many stays. The new data set owns the old one. On failure both are destroyed, and *dataset is NULL.
   Errors: THAW_INVALID_ARGUMENT (samples that are no images of one channel), THAW_OUT_OF_MEMORY. */
thaw_status thaw_dataset_widen(thaw_context *context, thaw_dataset **dataset, size_t channels);

/* The same for training and test data, either of which may be NULL or missing. On failure both are destroyed. */
thaw_status thaw_dataset_widen_parts(thaw_context *context, thaw_dataset **training, thaw_dataset **test,
                                     size_t channels);

#endif
