/* The sub-folders of a folder of images. */
#ifndef THAW_DATA_FOLDER_LIST_H
#define THAW_DATA_FOLDER_LIST_H

#include "data/image_list.h"

/* Adds the sub-folders of a split ("": of the folder itself), with the split before their names, and sorts the list.
   Names that begin with a dot are skipped. Errors: THAW_IO_ERROR, THAW_OUT_OF_MEMORY. */
thaw_status thaw_list_folders(const thaw_image_scan *scan, const char *split, thaw_image_list *found);

#endif
