/* What files of weights note of the data. */
#ifndef THAW_DATA_DATA_NOTES_H
#define THAW_DATA_DATA_NOTES_H

#include <thaw/notes.h>

/* Puts them in place of those of other data. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_dataset_write_notes(const thaw_dataset *dataset, thaw_notes *notes);

#endif
