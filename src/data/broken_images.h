/* Images that turn out to be broken when they are decoded. Any thread notes them. The caller's thread logs each one
   once. */
#ifndef THAW_DATA_BROKEN_IMAGES_H
#define THAW_DATA_BROKEN_IMAGES_H

#include <pthread.h>
#include <stdatomic.h>

#include "data/image_list.h"

typedef struct thaw_broken_notice thaw_broken_notice;

typedef struct thaw_broken_images {
    thaw_context *context;
    atomic_bool *known;          /* one per image: known to be broken */
    pthread_mutex_t lock;        /* guards the fields below */
    thaw_broken_notice *notices; /* not logged yet, by image */
    size_t unnoted;              /* broken images that could not be noted for lack of memory */
} thaw_broken_images;

/* Begins with no broken image of `count`. Errors: THAW_OUT_OF_MEMORY; also then thaw_broken_images_end must follow. */
thaw_status thaw_broken_images_begin(thaw_broken_images *broken, thaw_context *context, size_t count);

/* Frees everything without logging it. */
void thaw_broken_images_end(thaw_broken_images *broken);

/* Notes that an image is broken, unless another thread was first. Touches no message of the context. */
void thaw_broken_images_note(thaw_broken_images *broken, size_t image, const char *reason);

/* Logs what was noted since the last call. `path` is the folder of the list's names. */
void thaw_broken_images_log(thaw_broken_images *broken, const char *path, const thaw_image_list *list);

#endif
