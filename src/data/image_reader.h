/* From an image's file to a sample: read, decoded, framed, normalised. One reader serves one thread. */
#ifndef THAW_DATA_IMAGE_READER_H
#define THAW_DATA_IMAGE_READER_H

#include "data/resample.h"

enum { THAW_IMAGE_MOST_BYTES = 1 << 28 }; /* of a file */

/* What samples are made of images: [size, size, channels]. */
typedef struct thaw_sample_form {
    size_t size, resize;                       /* the shorter side is resized to the latter before the cut */
    size_t channels;                           /* 3, or 1: the luminance */
    bool decode_fully;                         /* JPEG, even where less would do */
    float levels[THAW_IMAGE_CHANNELS][1 << 8]; /* what each byte becomes */
} thaw_sample_form;

/* (byte / 255 - mean) / deviation, in floats. */
void thaw_sample_form_set_levels(thaw_sample_form *form, const float *means, const float *deviations);

/* Zero but for the form and the contexts to begin with (thaw_image_reader_begin). */
typedef struct thaw_image_reader {
    const thaw_sample_form *form;
    thaw_scratch file, result;
    thaw_image image;
    thaw_resampler resampler;
} thaw_image_reader;

void thaw_image_reader_begin(thaw_image_reader *reader, thaw_context *context, const thaw_sample_form *form);
void thaw_image_reader_end(thaw_image_reader *reader);

/* Reads the file at `path`, seen from an open directory, into one sample: the middle of the image, or with `words` a
   random part of it. Errors, with the reason in `message`: THAW_BAD_FORMAT and THAW_IO_ERROR (the file's own),
   THAW_OUT_OF_MEMORY (also: no file descriptor). */
thaw_status thaw_image_reader_read(thaw_image_reader *reader, int directory, const char *path, const uint32_t *words,
                                   float *sample, char *message, size_t capacity);

/* Opens a file for reading that may be anything, without waiting for it; -1: errno tells. */
int thaw_image_open(int directory, const char *path);

#endif
