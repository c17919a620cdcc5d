/* The images of a folder: only their names are kept. */
#ifndef THAW_DATA_IMAGE_LIST_H
#define THAW_DATA_IMAGE_LIST_H

#include <thaw/context.h>

typedef struct thaw_listed_image {
    size_t name;    /* its offset in `names` */
    uint64_t stamp; /* a fingerprint of the file's size and modification time */
    int32_t label;
} thaw_listed_image;

/* Starts as zero, except the context. */
typedef struct thaw_image_list {
    thaw_context *context;
    char *names; /* paths, each with its terminating zero */
    size_t name_bytes, name_capacity;
    thaw_listed_image *images;
    size_t count, capacity;
} thaw_image_list;

void thaw_image_list_release(thaw_image_list *list);

static inline const char *thaw_image_list_name(const thaw_image_list *list, size_t index)
{
    return list->names + list->images[index].name;
}

/* Appends a copy of the path. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_image_list_add(thaw_image_list *list, const char *name, uint64_t stamp, int32_t label);

/* Sorts the images from `first` on by folder and then by name, as Python sorts the results of os.walk. */
void thaw_image_list_sort(thaw_image_list *list, size_t first);

/* Keeps the images that are marked, in their order. */
void thaw_image_list_keep(thaw_image_list *list, const bool *stays);

/* Where each class begins in a list that is in the order of its classes, and where the last one ends: one number more
   than there are classes. */
void thaw_image_list_begin_classes(const thaw_image_list *list, size_t classes, size_t *begins);

/* Where to look for images, and how to treat broken ones. */
typedef struct thaw_image_scan {
    int directory;    /* an open directory, which names are relative to */
    const char *path; /* of that directory, for messages */
    bool strict;      /* a broken image is an error; otherwise it is logged and left out */
} thaw_image_scan;

/* What a file is found to be. */
typedef enum thaw_image_finding {
    THAW_IMAGE_FOUND,
    THAW_IMAGE_NONE,        /* neither its name nor its content is that of an image */
    THAW_IMAGE_BROKEN,      /* see below */
    THAW_IMAGE_SYSTEM_FAILS /* no file descriptor or memory is left */
} thaw_image_finding;

enum { THAW_IMAGE_REASON_BYTES = 160 };

/* Looks into one file; *stamp is of an image, `reason` says what else it is. */
thaw_image_finding thaw_image_inspect(const thaw_image_scan *scan, const char *name, uint64_t *stamp,
                                      char reason[THAW_IMAGE_REASON_BYTES]);

/* Appends the images in the folder `name` and below it, sorted. Names that begin with a dot are skipped, and links are
   followed. An image is a file that begins as JPEG or PNG does, whatever its name. A file counts as broken if it has an
   image's name but other content, is an unsupported kind of image, or cannot be read.
   Errors: THAW_IO_ERROR (a folder cannot be read), THAW_BAD_FORMAT (if strict), THAW_OUT_OF_MEMORY. */
thaw_status thaw_image_list_scan(thaw_image_list *list, const thaw_image_scan *scan, const char *name, int32_t label);

/* Whether a file is still as when it was listed with this stamp; otherwise says why not. */
bool thaw_image_is_as_listed(int directory, const char *name, uint64_t stamp, char reason[THAW_IMAGE_REASON_BYTES]);

#endif
