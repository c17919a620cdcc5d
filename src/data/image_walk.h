/* All files in a folder and below it. */
#ifndef THAW_DATA_IMAGE_WALK_H
#define THAW_DATA_IMAGE_WALK_H

#include "data/image_list.h"

/* Appends the files below the folder `name`, whatever they are, in no order. Names that begin with a dot are skipped.
   Links to folders are followed last, in the order of their paths. A folder that several paths lead to is read once,
   and the log says so: a few links can make more paths than can be walked.
   Errors: THAW_IO_ERROR (a folder cannot be read, a path is too long, or folders are too deep), THAW_OUT_OF_MEMORY. */
thaw_status thaw_image_list_walk(thaw_image_list *list, const thaw_image_scan *scan, const char *name, int32_t label);

#endif
