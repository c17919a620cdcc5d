/* A folder of images whose labels are in a table. */
#ifndef THAW_DATA_LABELLED_FOLDER_H
#define THAW_DATA_LABELLED_FOLDER_H

#include "data/description.h"

/* Opens what a description of a folder with labels=FILE says. Errors: those of thaw_dataset_open_labelled_folder. */
thaw_status thaw_labelled_folder_open(thaw_description *from, thaw_dataset **training, thaw_dataset **test);

#endif
