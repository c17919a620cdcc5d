/* Samples from two arrays of NumPy, as thaw/data.h describes. */
#ifndef THAW_DATA_ARRAY_SAMPLES_H
#define THAW_DATA_ARRAY_SAMPLES_H

#include "data/content.h"
#include "data/samples.h"

typedef struct thaw_array_form {
    bool has_task, has_layout, channels_first;
    thaw_task task;
    size_t classes; /* that labels must be below; 0: as many as there are */
} thaw_array_form;

/* Reads Y, and sets the targets, the task and the classes. Errors: those of thaw_npy_read_values,
   THAW_INVALID_ARGUMENT (the form), THAW_UNSUPPORTED. */
thaw_status thaw_array_read_targets(const thaw_content *from, const thaw_array_form *form, thaw_samples *into);

/* Reads X, which must have as many samples as targets have been read, if any have, and sets the inputs. Errors as above. */
thaw_status thaw_array_read_inputs(const thaw_content *from, const thaw_array_form *form, thaw_samples *into);

#endif
