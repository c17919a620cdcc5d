/* Data sets that are a part of another. */
#ifndef THAW_DATA_SELECTION_H
#define THAW_DATA_SELECTION_H

#include <thaw/data.h>

/* As thaw_dataset_select, with the classes used literally (0 to 0 is class 0 alone). */
thaw_status thaw_select_samples(thaw_context *context, thaw_dataset *from, const thaw_dataset_selection *selection,
                                thaw_dataset **dataset);

/* As thaw_select_samples, from a data set that is taken over, also on failure. A last class of SIZE_MAX is the last that
   there is. */
thaw_status thaw_select_owned(thaw_context *context, thaw_dataset *whole, const thaw_dataset_selection *selection,
                              thaw_dataset **dataset);

#endif
