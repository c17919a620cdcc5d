/* The samples of a data set in memory, before it is one. */
#ifndef THAW_DATA_SAMPLES_H
#define THAW_DATA_SAMPLES_H

#include <thaw/image_data.h>

#include "data/target_scale.h"

typedef struct thaw_samples {
    thaw_context *context;
    thaw_task task;
    size_t classes;                 /* of labels; otherwise 0 */
    thaw_shape sample_shape;        /* of one sample */
    thaw_tensor inputs;             /* floats or bytes */
    thaw_tensor targets;            /* int32 labels or floats */
    thaw_target_scale scale;        /* of the floats */
    thaw_folder_options form;       /* of images, as in struct thaw_dataset */
    const char *columns, *labels;   /* of a table, as in struct thaw_dataset; the caller's; NULL: of none */
    const char *missing;            /* the same */
    const char *const *class_names; /* the caller's; NULL: none */
} thaw_samples;

/* Frees the arrays. NULL ones are allowed. */
void thaw_samples_release(thaw_samples *samples);

/* Draws a share of `rows` rows by seed: at least one, but not all. The caller frees *marked; *count are marked. Errors:
   THAW_INVALID_ARGUMENT (there is only one row), THAW_OUT_OF_MEMORY. */
thaw_status thaw_samples_draw(thaw_context *context, size_t rows, double share, uint64_t seed, bool **marked,
                              size_t *count);

/* Moves the `count` marked samples to `test`. Either part keeps the order. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_samples_move(thaw_samples *samples, const bool *marked, size_t count, thaw_samples *test);

/* Makes a data set of the samples, which it takes over, also on failure. `selection` (NULL: none) selects as
   thaw_select_samples does; a last class of SIZE_MAX is the last that there is. */
thaw_status thaw_samples_make(thaw_samples *samples, const thaw_dataset_selection *selection, thaw_dataset **dataset);

#endif
