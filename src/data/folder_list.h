/* The sub-folders of a folder of images. */
#ifndef THAW_DATA_FOLDER_LIST_H
#define THAW_DATA_FOLDER_LIST_H

#include "data/image_source.h"

/* Adds the sub-folders of a split ("": of the folder itself), with the split before their names, and sorts the list.
   Names that begin with a dot are skipped. Of `folder` only directory and path count. Errors: THAW_IO_ERROR,
   THAW_OUT_OF_MEMORY. */
thaw_status thaw_list_folders(thaw_context *context, const thaw_image_source_options *folder, const char *split,
                              thaw_image_list *found);

#endif
