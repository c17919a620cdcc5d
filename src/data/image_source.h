/* A data set of listed images, decoded by threads of its own. */
#ifndef THAW_DATA_IMAGE_SOURCE_H
#define THAW_DATA_IMAGE_SOURCE_H

#include <thaw/data.h>

#include "data/image_list.h"
#include "data/image_reader.h"

typedef struct thaw_image_source_options {
    const char *path; /* of the directory that names are seen from, for messages */
    int directory;    /* the same, open; stays the caller's */
    thaw_sample_form form;
    size_t classes, repeat; /* repeat: every image so many times an epoch, at least 1 */
    bool crops;             /* random parts, keyed by seed, epoch and sample */
    bool strict;            /* a broken image is an error */
    uint64_t seed;
    int threads; /* that decode, the reading one among them */
} thaw_image_source_options;

/* The list is taken over, also on failure; its images come class by class. A broken image that is not an error is told
   to the log, and the next whole one of its class takes its place, in every epoch.
   Errors: THAW_OUT_OF_MEMORY, THAW_IO_ERROR (no file descriptor is left). */
thaw_status thaw_image_source_create(thaw_context *context, thaw_image_list *list,
                                     const thaw_image_source_options *options, thaw_dataset **dataset);

#endif
