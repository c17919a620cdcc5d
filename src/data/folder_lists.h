/* What one rank tells the others of the folders of images that it opens, so that those need not be searched again. */
#ifndef THAW_DATA_FOLDER_LISTS_H
#define THAW_DATA_FOLDER_LISTS_H

#include "core/digest.h"
#include "data/folder_search.h"

/* The folders in the order in which they are opened. Starts as zero, except the context. */
typedef struct thaw_folder_lists {
    thaw_context *context;
    bool told; /* by another rank: folders are taken; otherwise they are added */
    char *bytes;
    size_t count, capacity; /* of bytes */
    size_t next;            /* where the next folder to be taken begins */
} thaw_folder_lists;

void thaw_folder_lists_release(thaw_folder_lists *lists);

/* Appends a folder that was searched with options of this fingerprint. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_folder_lists_add(thaw_folder_lists *lists, const thaw_digest *options, const thaw_found_images *found);

/* Takes the next folder. *taken: whether there is one, which was searched with the same options; otherwise nothing is
   found. Errors: THAW_BAD_FORMAT (the bytes are damaged), THAW_OUT_OF_MEMORY. */
thaw_status thaw_folder_lists_take(thaw_folder_lists *lists, const thaw_digest *options, thaw_found_images *found,
                                   bool *taken);

#endif
