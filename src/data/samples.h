/* The samples of a data set in memory, before it is one. */
#ifndef THAW_DATA_SAMPLES_H
#define THAW_DATA_SAMPLES_H

#include <thaw/data.h>

typedef struct thaw_samples {
    thaw_context *context;
    thaw_task task;
    size_t classes;                 /* of labels; otherwise 0 */
    thaw_shape sample_shape;        /* of one sample */
    thaw_tensor inputs;             /* floats or bytes */
    thaw_tensor targets;            /* int32 labels or floats */
    thaw_folder_options form;       /* of images, as in struct thaw_dataset */
    const char *const *class_names; /* the caller's; NULL: none */
} thaw_samples;

/* Frees the arrays. NULL ones are allowed. */
void thaw_samples_release(thaw_samples *samples);

/* Moves a share of the samples, drawn by seed, to `test`: at least one, if the share is above 0, and not all. Either
   part keeps the order. Errors: THAW_INVALID_ARGUMENT (there is only one sample), THAW_OUT_OF_MEMORY. */
thaw_status thaw_samples_split(thaw_samples *samples, double share, uint64_t seed, thaw_samples *test);

/* How many of `rows` samples such a share is. */
size_t thaw_samples_share(size_t rows, double share);

/* Makes a data set of the samples, which it takes over, also on failure. `selection` (NULL: none) selects as
   thaw_select_samples does; a last class of SIZE_MAX is the last that there is. */
thaw_status thaw_samples_make(thaw_samples *samples, const thaw_dataset_selection *selection, thaw_dataset **dataset);

#endif
