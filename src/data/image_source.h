/* A data set of listed images, which it decodes with its own threads. */
#ifndef THAW_DATA_IMAGE_SOURCE_H
#define THAW_DATA_IMAGE_SOURCE_H

#include <thaw/data.h>

#include "data/image_list.h"
#include "data/image_reader.h"

typedef struct thaw_image_source_options {
    const char *path; /* of the directory that names are relative to, for messages */
    int directory;    /* the same, open; remains the caller's */
    thaw_sample_form form;
    size_t classes, repeat; /* repeat: how often each image appears per epoch, at least 1 */
    const char *const *class_names;
    /* Numbers as targets, in place of classes, of which there is then one: of each listed image `target_columns`; copied.
       A broken image's sample has those of the image that replaces it. */
    const float *targets;
    size_t target_columns;
    thaw_augment augment; /* keyed by seed, epoch, or view, and sample */
    size_t views;         /* of each sample; 0: each epoch has its own */
    bool strict;          /* a broken image is an error */
    bool told;            /* another rank has listed the images: one that is missing, or another, is an error */
    uint64_t seed;
    int threads; /* that decode, including the calling one */
} thaw_image_source_options;

/* Takes over the list, also on failure; its images must be grouped by class. A broken image that is not an error is
   logged, and replaced by the next intact one of its class, in every epoch. Errors: THAW_OUT_OF_MEMORY,
   THAW_IO_ERROR (no file descriptor is left). */
thaw_status thaw_image_source_create(thaw_context *context, thaw_image_list *list,
                                     const thaw_image_source_options *options, thaw_dataset **dataset);

#endif
