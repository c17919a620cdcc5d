/* The images of a folder, by name: all that is kept of them. */
#ifndef THAW_DATA_IMAGE_LIST_H
#define THAW_DATA_IMAGE_LIST_H

#include <thaw/context.h>

typedef struct thaw_listed_image {
    size_t name;    /* where in `names` it begins */
    uint64_t stamp; /* a fingerprint of the file's size and time of change */
    int32_t label;
} thaw_listed_image;

/* Zero but for the context to begin with. */
typedef struct thaw_image_list {
    thaw_context *context;
    char *names; /* paths, each with its zero */
    size_t name_bytes, name_capacity;
    thaw_listed_image *images;
    size_t count, capacity;
} thaw_image_list;

void thaw_image_list_release(thaw_image_list *list);

static inline const char *thaw_image_list_name(const thaw_image_list *list, size_t index)
{
    return list->names + list->images[index].name;
}

/* Appends a copy. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_image_list_add(thaw_image_list *list, const char *name, uint64_t stamp, int32_t label);

/* Sorts the images from `first` on by folder and then by name, as Python sorts what os.walk finds. */
void thaw_image_list_sort(thaw_image_list *list, size_t first);

/* Keeps the images that are told to stay, in their order. */
void thaw_image_list_keep(thaw_image_list *list, const bool *stays);

/* Where to look for images, and what to do with what only looks like one. */
typedef struct thaw_image_scan {
    int directory;    /* open; names are seen from it */
    const char *path; /* of that directory, for messages */
    bool strict;      /* a broken image is an error; else it is told to the log and left out */
} thaw_image_scan;

/* Appends the images in the folder `name` and below it, sorted. Names that begin with a dot are passed over, links are
   followed. An image is what begins as JPEG or PNG does, whatever its name; what has an image's name, or is another
   kind of image, or cannot be read, counts as broken.
   Errors: THAW_IO_ERROR (a folder cannot be read), THAW_BAD_FORMAT (when strict), THAW_OUT_OF_MEMORY. */
thaw_status thaw_image_list_scan(thaw_image_list *list, const thaw_image_scan *scan, const char *name, int32_t label);

#endif
