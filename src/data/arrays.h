/* Data sets over arrays in memory. */
#ifndef THAW_DATA_ARRAYS_H
#define THAW_DATA_ARRAYS_H

#include <thaw/data.h>

/* As thaw_dataset_from_arrays, for arrays of thaw_allocate_raw, which the data set takes over: they are released
   with it, or if this call fails. Inputs are served as samples of `sample_shape`. */
thaw_status thaw_dataset_from_owned(thaw_context *context, const thaw_tensor *inputs, const thaw_tensor *targets,
                                    const thaw_shape *sample_shape, size_t classes, thaw_dataset **dataset);

#endif
